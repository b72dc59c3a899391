// Package probe is what the woven code calls. The marks that it is given are the truth that attribution is tested
// against: each template carries its own.
package probe

import (
	"context"
	"strings"
)

// Hits are the marks that were met.
var Hits []string

// Hit notes a mark.
func Hit(marks ...string) { Hits = append(Hits, strings.Join(marks, " ")) }

// Wrap returns value.
func Wrap[T any](value T, marks ...string) T { Hit(marks...); return value }

// Source, Drain, Pick and Upper are called by the packages under test.
func Source(n int) int { return n }

// Drain returns n.
func Drain(n int) int { return n }

// Upper is what strings.ToUpper is replaced by.
func Upper(s string) string { Hit("upper"); return strings.ToUpper(s) }

// Option is an option of Open.
type Option string

// With makes an Option.
func With(mark string) Option { return Option(mark) }

// Open takes options.
func Open(name string, options ...Option) int { return len(name) + len(options) }

// Client has methods whose calls are woven.
type Client struct{ Name string }

// Do does nothing.
func (c *Client) Do(n int) int { return n }

// Doer is an interface.
type Doer interface{ Do(int) int }

// Note is a struct that is built elsewhere.
type Note struct {
	Text string
	Size int
}

// Stack, Odd, Even and Fetch are called by the packages under test.
func Stack(n int) int { return n }

// Odd returns n.
func Odd(n int) int { return n }

// Even returns n.
func Even(n int) int { return n }

// Fetch adds up.
func Fetch(name string, n int) int { return len(name) + n }

// FetchIn is what a call of Fetch becomes where there is a context.
func FetchIn(ctx context.Context, name string, n int) int { Hit("fetch"); return Fetch(name, n) }

// NewClient makes a Client.
func NewClient() *Client { return &Client{} }

// Pair is a struct that is built elsewhere.
type Pair struct{ Left, Right int }
