// Package flow has functions whose bodies are woven.
package flow

import (
	"context"
	"errors"
)

// Entered has one aspect.
//
//t:entry
func Entered(name string) string {
	return name
}

// Both has two aspects at one spot.
//
//t:entry
//t:exit
func Both() int {
	return 1
}

// Alpha and Beta have look-alike templates.
func Alpha() int {
	return 1
}

// Beta has the other look-alike.
func Beta() int {
	return 2
}

// Left has the first aspect named same, Right the second.
func Left() int { return 1 }

// Right has the second aspect named same.
func Right() int { return 2 }

// Gauge has a method.
type Gauge struct{ n int }

// Read is woven by its receiver.
func (g *Gauge) Read() int {
	return g.n
}

// Read of a value is another method.
func (p Point) Read() int { return p.X }

// Point has a method of the same name.
type Point struct{ X int }

// Unnamed has parameters and results without names that a template takes.
func Unnamed(string, int) error {
	return errors.New("unnamed")
}

// Empty gets an empty block.
func Empty() {
	_ = 1
}

// Signed is found by its signature.
func Signed(ctx context.Context, n int64) error {
	return ctx.Err()
}

// Literal holds a function literal with a directive.
func Literal() int {
	//t:literal
	inner := func(n int) int {
		return n
	}
	return inner(1)
}

// Mixed is in a namespace's order.
//
//t:mixed
func Mixed() int {
	return 3
}

// Either is one of two names.
func Either() {}

// Other is the other of two names.
func Other() {}

// Ringed is woven by a package that another integration imports.
//
//ring:two
func Ringed() {}

// Ignored carries the directive and asks to be left alone.
//
//orchestrion:ignore
//t:entry
func Ignored() {}
