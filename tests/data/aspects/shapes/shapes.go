// Package shapes has structs and values to weave.
package shapes

// Square gets a field.
type Square struct{ Side int }

// Circle gets two fields, from two aspects.
type Circle struct {
	Radius int
}

// Plain gets nothing.
type Plain struct{ X int }

//orchestrion:enabled
var Enabled bool

//orchestrion:version
var Version string

// Area is left alone.
func (s Square) Area() int { return s.Side * s.Side }
