// Command app uses all packages.
package main

import (
	"context"
	"fmt"
	"io"

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
	fmt.Println(calls.Stacked(1), calls.Within(1), calls.Fetched(context.Background(), []string{"x"}))
	fmt.Println(calls.Unfetched([]string{"x"}), calls.Chained(), calls.Shadowed())
	fmt.Println(calls.Likewise(1))
	fmt.Println(calls.Valued())
	fmt.Println(calls.Places(1, nil))
	fmt.Println(flow.Recovers(), flow.Copies(io.Discard), flow.Line(), flow.Point{X: 1}.Scale(2), calls.Initial)
	flow.Commented()
	flow.Twins()
	flow.Implemented(nil)
	flow.Tagged()
	fmt.Println(flow.Direct(context.Background()), flow.Counted(), flow.Deep()()(1))
	(&flow.Stack[int]{}).Push(1)
	fmt.Println(len(probe.Hits))
}
