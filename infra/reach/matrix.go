package reach

import (
	"fmt"
	"slices"
	"strings"
)

// State is how far a connection gets. They are in the order of worry.
type State int

// The states. Only Part and Yes let a byte through.
const (
	// No is that no security group lets it.
	No State = iota
	// Admitted is that the security groups let it, and a route or an access list
	// does not: one fence of two.
	Admitted
	// Part is that it gets through from some zones, addresses or client ports.
	Part
	// Yes is that it gets through.
	Yes
)

// String is the state in words.
func (s State) String() string {
	return [...]string{"no", "let in, and stopped on the way", "in part", "yes"}[s]
}

// Cell is a range of ports with one state.
type Cell struct {
	Ports Ports
	State State
}

// Matrix is who reaches whom: by the parties' names, from and to, the ranges of
// ports that are not No, in order.
type Matrix map[string]map[string][]Cell

// At returns the state of a port.
func (m Matrix) At(from, to string, port int) State {
	for _, c := range m[from][to] {
		if c.Ports.Has(port) {
			return c.State
		}
	}
	return No
}

// Matrix asks for every pair of parties and every port.
func (n *Network) Matrix() Matrix {
	m := Matrix{}
	for _, from := range n.Parties {
		if from.Comes == WayEndpoint { // it answers, and opens no connection
			continue
		}
		m[from.Name] = map[string][]Cell{}
		for _, to := range n.Parties {
			if from == to && len(from.Groups) == 0 || to.Source || from.Outside() && to.Outside() {
				continue
			}
			if cells := n.cells(from, to); len(cells) > 0 {
				m[from.Name][to.Name] = cells
			}
		}
	}
	return m
}

// cells are the ranges of ports on which the pair is not No.
func (n *Network) cells(from, to *Party) []Cell {
	var cells []Cell
	for i, port := range n.ports {
		state := n.state(from, to, port)
		if state == No {
			continue
		}
		ports := Ports{port, lastPort}
		if i+1 < len(n.ports) {
			ports.To = n.ports[i+1] - 1
		}
		if k := len(cells) - 1; k >= 0 && cells[k].State == state && cells[k].Ports.To+1 == port {
			cells[k].Ports.To = ports.To
			continue
		}
		cells = append(cells, Cell{ports, state})
	}
	return cells
}

// Diff says in words what differs, a line each, sorted: "+" where more gets
// through than before, "-" where less does.
//
//   - Internet -> ManagerGroup tcp/443: let in, and stopped on the way (was: no)
func Diff(before, after Matrix) []string {
	var lines []string
	for _, from := range keys(before, after) {
		for _, to := range keys(before[from], after[from]) {
			lines = append(lines, diffCells(from+" -> "+to, before[from][to], after[from][to])...)
		}
	}
	return lines
}

func diffCells(pair string, before, after []Cell) []string {
	var lines []string
	for _, p := range pieces(before, after) {
		was, is := stateOf(before, p.From), stateOf(after, p.From)
		if was == is {
			continue
		}
		sign := "+"
		if is < was {
			sign = "-"
		}
		what := ""
		if is != Yes && is != No {
			what = ": " + is.String()
		}
		lines = append(lines, fmt.Sprintf("%s %s %s%s (was: %s)", sign, pair, p, what, was))
	}
	return lines
}

// pieces cuts the ranges of both so that each piece has one state in each.
func pieces(before, after []Cell) []Ports {
	var cuts []int
	for _, c := range slices.Concat(before, after) {
		cuts = append(cuts, c.Ports.From, c.Ports.To+1)
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	var list []Ports
	for i := 0; i+1 < len(cuts); i++ {
		list = append(list, Ports{cuts[i], cuts[i+1] - 1})
	}
	return list
}

func stateOf(cells []Cell, port int) State {
	for _, c := range cells {
		if c.Ports.Has(port) {
			return c.State
		}
	}
	return No
}

// keys are those of both maps, sorted.
func keys[V any](a, b map[string]V) []string {
	var list []string
	for k := range a {
		list = append(list, k)
	}
	for k := range b {
		if _, both := a[k]; !both {
			list = append(list, k)
		}
	}
	slices.SortFunc(list, strings.Compare)
	return list
}
