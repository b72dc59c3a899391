package flow

import (
	"context"
	"io"

	"example.com/aspects/probe"
)

// Twins is what two aspects with one template match: nobody can tell which block is whose.
func Twins() {}

// Tenant is a context by its methods alone.
type Tenant struct{ context.Context }

// Implemented takes what only a type checker knows for a context.
func Implemented(tenant *Tenant) {
	_ = tenant
}

// Direct takes a context outright.
func Direct(ctx context.Context) error {
	return ctx.Err()
}

// Stack is generic.
type Stack[T any] struct{ items []T }

// Push is woven in a generic receiver.
func (s *Stack[T]) Push(item T) {
	s.items = append(s.items, item)
}

type (
	// Grouped stands in a group.
	Grouped struct {
		Name string
	}
	// Other stands beside it.
	Beside struct{ Size int }
)

// Tagged hands the arguments of its directive to the template.
//
//t:tagged name:special other:"two words"
func Tagged() {}

// Spawn has a directive on a function literal that it starts.
func Spawn(done chan int) {
	//t:literal
	go func(n int) {
		done <- n
	}(<-done)
}

// Deep has a directive on a literal within a literal.
func Deep() func() func(int) int {
	return func() func(int) int {
		//t:literal
		inner := func(n int) int { return n }
		return inner
	}
}

// Handler has the shape of a parameter's name taken over.
type Handler interface{ Serve(io.Closer) }

// Renamed has a parameter that the template assigns to.
func Renamed(handler Handler) Handler {
	return handler
}

// init is one of two.
func init() { probe.Hit("first") }

// init is the other of two.
//
//t:entry
func init() { probe.Hit("second") }

// Counted is a variable with a function's value.
//
//t:entry
var Counted = func() int { return 1 }

func helper() { Twins() }

var _ = helper
