//go:build tools

package tools

import (
	_ "example.com/aspects/ring/one"
	_ "github.com/DataDog/orchestrion"
)
