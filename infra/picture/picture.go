// Package picture draws the estate: one SVG of everything that an environment's
// templates hold, nested as AWS nests it, account, region, VPC, zone, subnet.
// Nothing is drawn that the templates do not have: every box and every arrow
// carries the logical ids that it was drawn from, and goes when they go.
package picture

import (
	"cmp"

	"padron/infra/cfn"
)

// Environment is what is drawn: everything is in it.
const Environment = "prod"

// File is a drawing that the repository keeps.
type File struct {
	// Path is below infra.
	Path     string
	Language string
}

// Files are the drawings that the repository keeps.
var Files = []File{{"../docs/architecture-aws.svg", "en"}, {"../docs/architecture-aws.es.svg", "es"}}

// Drawing is a laid-out picture: boxes that hold boxes, and arrows between
// them. Lengths are in SVG user units, which are pixels at 100%.
type Drawing struct {
	W, H            float64
	Title, Subtitle string
	Boxes           []*Box
	Arrows          []*Arrow

	legend []entry
	words  *words
}

// Box is a group, which holds boxes, or a node, which stands for resources.
type Box struct {
	// ID names the box in its drawing, such as subnet-private-us-east-1a.
	ID string
	// Look is a style of group or a category of node.
	Look string
	// Icon is the name of the glyph; a box without one is text alone.
	Icon string
	// Label is the heading, at most two lines; Lines are smaller, below it.
	Label string
	Lines []string
	// From are the resources that the box stands for: never empty.
	From       []*cfn.Resource
	X, Y, W, H float64
	Children   []*Box
	// Spans says that the box lies over several groups on purpose, as a load
	// balancer does over the subnets that it has a foot in.
	Spans bool
}

// Arrow is traffic, or another relation, between two boxes.
type Arrow struct {
	// Kind is its meaning and colour, a key of kinds.
	Kind     string
	From, To *Box
	// Path are its corners, from the first box to the second.
	Path []Point
	// Why are the resources that allow or make it: never empty.
	Why []*cfn.Resource
	// Label is written at At; "" is none.
	Label string
	At    Point
}

// Point is a place in the drawing.
type Point struct{ X, Y float64 }

// New lays out the picture of the environment's templates, in the language
// "en" or "es". It is an error to know no translation of a phrase, or not to
// find a VPC with subnets.
func New(a *cfn.Assembly, environment, language string) (*Drawing, error) {
	w, err := newWords(language)
	if err != nil {
		return nil, err
	}
	e, err := read(a)
	if err != nil {
		return nil, err
	}
	p := &plan{estate: e, words: w, Drawing: &Drawing{words: w}}
	p.Title = w.f("padron in AWS: the environment %s", environment)
	p.lay()
	p.connect()
	p.crop()
	return p.Drawing, w.err()
}

// Walk calls f for every box, outer boxes first.
func (d *Drawing) Walk(f func(parent, b *Box)) {
	var visit func(parent *Box, all []*Box)
	visit = func(parent *Box, all []*Box) {
		for _, b := range all {
			f(parent, b)
			visit(b, b.Children)
		}
	}
	visit(nil, d.Boxes)
}

// Find returns the box with the id, nil where there is none.
func (d *Drawing) Find(id string) *Box {
	var found *Box
	d.Walk(func(_, b *Box) {
		if b.ID == id {
			found = cmp.Or(found, b)
		}
	})
	return found
}

func (b *Box) right() float64  { return b.X + b.W }
func (b *Box) bottom() float64 { return b.Y + b.H }
func (b *Box) midX() float64   { return b.X + b.W/2 }
func (b *Box) midY() float64   { return b.Y + b.H/2 }
