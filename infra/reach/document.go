package reach

import (
	"fmt"
	"slices"
	"strings"

	"padron/infra/config"
)

// View is one environment's answer, for a person.
type View struct {
	Env     *config.Environment
	Network *Network
	Matrix  Matrix
}

// See makes the view of a network.
func See(n *Network, env *config.Environment) View { return View{env, n, n.Matrix()} }

const legend = `A row connects, a column is connected to; the numbers are TCP ports, and every one of the 65,535 is asked.

| symbol | what it means |
| --- | --- |
| ` + "`443`" + ` | gets through and is answered, from every zone, address and client port of the row |
| ` + "`443~`" + ` | gets through from some of them only |
| ` + "`(443)`" + ` | a security group lets it in, and a route or an access list stops it: one fence of two |
| · | no security group lets it |

*Internet* is every address that is not private. *other private* is every private address that is neither in the VPC nor a
consumer's. *stranger in the VPC* is a thing that somebody puts there without one of our groups and with every way out. A party
inside is named after the security groups around it.
`

// Document is docs/reachability.md: all environments, as text in Markdown.
func Document(views []View) string {
	var b strings.Builder
	b.WriteString("# Who can reach whom\n")
	b.WriteString("Generated from the templates by `padron-infra reach --write`; a test fails where it is stale, and says what differs.\n")
	b.WriteString("How it is proven, and what is not: [ADR 21](adr/0021-reachability-is-proven.md).\n\n")
	b.WriteString(legend)
	for _, v := range views {
		fmt.Fprintf(&b, "\n## %s\n\n", v.Env.Name)
		b.WriteString(v.String())
	}
	return b.String()
}

// String is one environment: the matrix, who the parties are, why what gets
// through does, and the statements.
func (v View) String() string {
	var b strings.Builder
	v.table(&b)
	v.statements(&b)
	v.parties(&b)
	v.reasons(&b)
	return b.String()
}

// table is the matrix. Columns that nobody connects to are left out.
func (v View) table(b *strings.Builder) {
	var columns []string
	for _, p := range v.Network.Parties {
		if !p.Source {
			columns = append(columns, p.Name)
		}
	}
	b.WriteString("| from \\ to |")
	for _, c := range columns {
		b.WriteString(" " + c + " |")
	}
	b.WriteString("\n| --- |" + strings.Repeat(" --- |", len(columns)) + "\n")
	for _, p := range v.Network.Parties {
		if p.Comes == WayEndpoint { // it answers, and opens no connection
			continue
		}
		fmt.Fprintf(b, "| **%s** |", p.Name)
		for _, c := range columns {
			b.WriteString(" " + symbols(v.Matrix[p.Name][c]) + " |")
		}
		b.WriteString("\n")
	}
}

func symbols(cells []Cell) string {
	if len(cells) == 0 {
		return "·"
	}
	var list []string
	for _, c := range cells {
		s := c.Ports.numbers()
		switch c.State {
		case Admitted:
			s = "(" + s + ")"
		case Part:
			s += "~"
		}
		list = append(list, "`"+s+"`")
	}
	return strings.Join(list, " ")
}

func (v View) statements(b *strings.Builder) {
	b.WriteString("\n| statement | proven |\n| --- | --- |\n")
	for _, s := range Statements() {
		verdict := "yes"
		if wrong := s.Check(v.Network, v.Matrix, v.Env); len(wrong) > 0 {
			verdict = "**no**: " + strings.Join(wrong, "; ")
		}
		fmt.Fprintf(b, "| %s | %s |\n", s.What, verdict)
	}
}

func (v View) parties(b *strings.Builder) {
	b.WriteString("\n| party | what it is | where |\n| --- | --- | --- |\n")
	for _, p := range v.Network.Parties {
		what, where := p.describe()
		fmt.Fprintf(b, "| %s | %s | %s |\n", p.Name, what, where)
	}
}

// describe says what a party is and where it stands.
func (p *Party) describe() (what, where string) {
	if p.Outside() {
		var ranges []string
		for _, r := range p.Ranges {
			ranges = append(ranges, r.String())
		}
		if p.List != "" {
			ranges = []string{p.List}
		}
		if p.link != nil {
			ranges = []string{"endpoints that were accepted"}
		}
		return "outside, by " + string(p.Comes), strings.Join(ranges, ", ")
	}
	for _, s := range p.Subnets {
		where += ", " + strings.TrimPrefix(s.Name, "Vpc/")
	}
	where = strings.TrimPrefix(where, ", ")
	if p.Source {
		return "whatever is put there without a group of ours", where
	}
	if len(p.Things) == 0 {
		return "whatever is started with this group by hand", where
	}
	return strings.Join(p.Things, "<br>"), where
}

// reasons says of each cell by which rules it gets through, or what stops it.
func (v View) reasons(b *strings.Builder) {
	b.WriteString("\n| from | to | port | why |\n| --- | --- | --- | --- |\n")
	for _, from := range v.Network.Parties {
		for _, to := range v.Network.Parties {
			for _, c := range v.Matrix[from.Name][to.Name] {
				a := v.Network.Reach(from, to, c.Ports.From)
				why := slices.DeleteFunc(a.Path, func(s string) bool { return strings.Contains(s, "the answer") })
				if !a.Reachable {
					why = []string{a.Stop}
				}
				fmt.Fprintf(b, "| %s | %s | %s | %s |\n", from.Name, to.Name, symbols([]Cell{c}), strings.Join(why, "; "))
			}
		}
	}
}

// Tables reads the matrices back from a document that [Document] wrote, by
// environment: what a diff compares with.
func Tables(document string) map[string]Matrix {
	found := map[string]Matrix{}
	var env string
	var columns []string
	for line := range strings.Lines(document) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "## "); ok {
			env, columns = name, nil
			found[env] = Matrix{}
			continue
		}
		fields := strings.Split(strings.Trim(line, "|"), "|")
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		switch {
		case strings.HasPrefix(line, `| from \ to |`):
			columns = fields[1:]
		case columns != nil && strings.HasPrefix(line, "| **") && len(fields) == len(columns)+1:
			readRow(found[env], strings.Trim(fields[0], "*"), columns, fields[1:])
		case line == "":
			columns = nil
		}
	}
	return found
}

func readRow(m Matrix, from string, columns, fields []string) {
	m[from] = map[string][]Cell{}
	for i, to := range columns {
		for s := range strings.FieldsSeq(fields[i]) {
			if c, ok := readCell(strings.Trim(s, "`")); ok {
				m[from][to] = append(m[from][to], c)
			}
		}
	}
}

func readCell(s string) (Cell, bool) {
	c := Cell{State: Yes}
	if t, ok := strings.CutSuffix(s, "~"); ok {
		c.State, s = Part, t
	}
	if strings.HasPrefix(s, "(") {
		c.State, s = Admitted, strings.Trim(s, "()")
	}
	if s == "all" {
		c.Ports = everyPort
		return c, true
	}
	from, to, two := strings.Cut(s, "-")
	if !two {
		to = from
	}
	f, fok := number(from)
	t, tok := number(to)
	c.Ports = Ports{f, t}
	return c, fok && tok
}
