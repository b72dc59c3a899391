// Package nested has a declaration injected, which other aspects weave.
package nested

// Anchor is what the declaration is injected for.
func Anchor() string {
	return "anchor"
}

// Linked is what a linkname is injected for.
func Linked() {}
