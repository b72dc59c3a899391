package calls

import "example.com/aspects/probe"

// Initial is a variable of the package.
var Initial = probe.Source(1)

var (
	grouped = probe.Drain(2)
	several = []int{probe.Source(3), 4}
)

// Places calls the wrapped functions where expressions can stand.
func Places(n int, table map[int]string) (int, string) {
	switch probe.Source(n) {
	case probe.Drain(1):
		return 0, table[probe.Source(2)]
	}
	total := add(1, probe.Source(n), 3)
	each := func(m int) int { return probe.Drain(m) }
	select {
	case ints <- probe.Source(5):
	default:
	}
	kept := probe.Note{Size: probe.Source(6), Text: "a" + "b"}
	return total + each(1) + kept.Size + grouped, kept.Text + string(rune(several[0]))
}

var ints = make(chan int, 1)

func add(all ...int) int { return len(all) }
