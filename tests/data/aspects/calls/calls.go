// Package calls has calls and literals to weave.
package calls

import (
	"strings"

	"example.com/aspects/probe"
)

// Wrapped calls a function that is wrapped, in an expression of the user's.
func Wrapped(n int) int {
	return 1 + probe.Source(n*2+3)
}

// Twice has two wrapped calls, one within the other.
func Twice(n int) int {
	return probe.Source(probe.Drain(n))
}

// Replaced calls strings.ToUpper.
func Replaced(s string) string {
	return strings.ToUpper(s) + strings.ToLower(s)
}

// Opened appends an argument.
func Opened() int {
	return probe.Open("plain")
}

// Spread appends an argument to a spread slice.
func Spread(options ...probe.Option) int {
	return probe.Open("spread", options...)
}

// Called calls a method.
func Called(c *probe.Client) int {
	return c.Do(4)
}

// Built builds a struct of another package.
func Built() *probe.Note {
	return &probe.Note{
		Text: "text",
		Size: 3,
	}
}

// Directed calls under a directive.
func Directed(n int) int {
	//t:directed
	return plain(n)
}

func plain(n int) int { return n }
