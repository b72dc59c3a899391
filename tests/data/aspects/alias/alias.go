// Package alias imports what the templates import, under the user's own name.
package alias

import (
	trace "example.com/aspects/probe"
)

// Named has the user's alias, which is the template's own.
//
//t:alias
func Named() int {
	trace.Hit("user")
	return 1
}
