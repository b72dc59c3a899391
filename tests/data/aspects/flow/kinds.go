package flow

import (
	"errors"
	"io"
)

// Variadic takes any number.
//
//t:entry
func Variadic(prefix string, all ...int) (n int, err error) {
	n = len(all)
	return n, nil
}

// Generic has type parameters.
//
//t:entry
func Generic[K comparable, V any](m map[K]V) (keys []K) {
	for key := range m {
		keys = append(keys, key)
	}
	return keys
}

// Line is one line, with braces in a string and a rune.
//
//t:exit
func Line() string { return "} {" + string('{') }

// Scale is a method of a value.
//
//t:entry
func (p Point) Scale(by int) Point { return Point{p.X * by} }

// Recovers has a deferred function of its own first.
//
//t:entry
func Recovers() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("recovered")
		}
	}()
	{
		_ = err
	}
	return nil
}

// Copies begins with a block of its own.
//
//t:exit
func Copies(w io.Writer) error {
	{
		_, err := io.WriteString(w, `raw {{ . }}`)
		return err
	}
}

/*
Commented has a comment in another form.
*/
//t:entry
func Commented() {
	// nothing but a comment
}
