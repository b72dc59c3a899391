package alias

import (
	spy "example.com/aspects/probe"
)

// Spied has another alias than the template's.
//
//t:alias
func Spied() int {
	spy.Hit("user")
	return 1
}
