package calls

import (
	"context"
	"strings"

	"example.com/aspects/probe"
)

// Stacked calls a function that two aspects wrap, one around the other.
func Stacked(n int) int {
	return probe.Stack(n)
}

// Likewise calls two functions whose wraps look alike, on one line.
func Likewise(n int) (int, int) {
	return probe.Odd(n), probe.Even(n)
}

// Within calls the one that looks alike within the other.
func Within(n int) int {
	return probe.Odd(probe.Even(n) + 1)
}

// Valued builds the struct as a value and as a pointer.
func Valued() (probe.Pair, *probe.Pair) {
	return probe.Pair{Left: 1}, &probe.Pair{Left: 2, Right: 3}
}

// Fetched hands its context on, as net/http's shorthands are made to.
func Fetched(ctx context.Context, names []string) int {
	return probe.Fetch(names[0], len(names))
}

// Unfetched has no context: its template leaves it alone.
func Unfetched(names []string) int {
	return probe.Fetch(names[0], len(names))
}

// Chained calls a method of what another call returns.
func Chained() int {
	return probe.NewClient().Do(7)
}

// Shadowed has a variable of the package's name.
func Shadowed() string {
	_ = strings.TrimSpace("x")
	strings := upper{}
	return strings.ToUpper("x")
}

type upper struct{}

func (upper) ToUpper(s string) string { return s }

// Deferred wraps calls in statements of all kinds.
func Deferred(n int) {
	defer probe.Source(n)
	go probe.Source(n)
	if m := probe.Source(n); m > 0 {
		_ = m
	}
	for range probe.Source(2) {
		n++
	}
}
