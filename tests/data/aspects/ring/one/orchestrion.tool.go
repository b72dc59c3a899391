//go:build tools

package tools

import (
	_ "example.com/aspects/ring/two"
	_ "github.com/DataDog/orchestrion"
)
