// Command app uses all packages.
package main

import (
	"context"
	"fmt"

	"example.com/aspects/alias"
	"example.com/aspects/calls"
	"example.com/aspects/flow"
	"example.com/aspects/nested"
	"example.com/aspects/probe"
	"example.com/aspects/shapes"
)

func main() {
	fmt.Println(flow.Entered("x"), flow.Both(), flow.Alpha(), flow.Beta(), flow.Left(), flow.Right(), flow.Mixed())
	fmt.Println(flow.Unnamed("x", 1), flow.Signed(context.Background(), 1), flow.Literal())
	fmt.Println((&flow.Gauge{}).Read(), flow.Point{}.Read())
	flow.Empty()
	flow.Either()
	flow.Other()
	flow.Ringed()
	fmt.Println(calls.Wrapped(1), calls.Twice(1), calls.Replaced("x"), calls.Opened(), calls.Spread("a"))
	fmt.Println(calls.Called(&probe.Client{}), calls.Built(), calls.Directed(1))
	fmt.Println(alias.Named(), alias.Spied(), nested.Anchor(), shapes.Enabled, shapes.Version)
	nested.Linked()
	fmt.Println(len(probe.Hits))
}
