package picture

import (
	"slices"

	"padron/infra/cfn"
)

// Measures of the grid. Columns from left to right: what is outside, the
// account's own edge, the VPC, and a panel of the region's services.
const (
	margin  = 20.0
	pad     = 14.0
	gap     = 8.0
	heading = 26.0

	outsideW = 168.0
	edgeW    = 100.0
	zoneW    = 446.0
	gutterW  = 56.0
	cardW    = 152.0
	cardH    = 56.0
	stripW   = 172.0
	panelCol = 3
	panelW   = panelCol*cardW + (panelCol-1)*gap + 2*pad

	accountX = margin + outsideW + 24
	regionX  = accountX + pad
	edgeX    = regionX + pad
	vpcX     = edgeX + edgeW + 16
	panelX   = vpcX + 2*zoneW + gutterW + 2*pad + 36

	accountY = 56.0
	stripY   = accountY + heading
	stripH   = heading + cardH + gap
	regionY  = stripY + stripH + 12
	vpcY     = regionY + heading
)

// plan is a drawing in the making.
type plan struct {
	*Drawing
	*estate
	words *words

	account, region, vpcBox *Box
	balancer                *Box
}

// node makes a box that stands for resources, with the usual card's size; nil,
// which add ignores, where there are none.
func (p *plan) node(id, look, icon, label string, lines []string, from ...*cfn.Resource) *Box {
	from = slices.DeleteFunc(from, func(r *cfn.Resource) bool { return r == nil })
	if len(from) == 0 {
		return nil
	}
	return &Box{ID: id, Look: look, Icon: icon, Label: label, Lines: lines, From: from, W: cardW, H: cardH}
}

// place puts a box, if there is one, into its parent and returns it.
func (p *plan) place(parent, b *Box, x, y, w, h float64) *Box {
	if b == nil {
		return nil
	}
	b.X, b.Y, b.W, b.H = x, y, w, h
	if parent == nil {
		p.Boxes = append(p.Boxes, b)
	} else {
		parent.Children = append(parent.Children, b)
	}
	return b
}

// group is place for a frame around others; only what is in it can say how far
// it reaches, see [enclose].
func (p *plan) group(parent *Box, id, look, label string, x, y, w, h float64, from ...*cfn.Resource) *Box {
	return p.place(parent, p.node(id, look, "", label, nil, from...), x, y, w, h)
}

// lay places every box.
func (p *plan) lay() {
	p.account = p.group(nil, "account", "account", p.words.f("AWS account %s", p.vpc.Stack.Account), accountX, accountY, 0, 0, p.vpc)
	p.layStrip()
	p.region = p.group(p.account, "region", "region", p.words.f("Region %s", p.vpc.Stack.Region), regionX, regionY, 0, 0, p.vpc)
	p.layNetwork()
	p.layEdge()
	p.layPanel()
	p.layTransit()
	enclose(p.region)
	enclose(p.account)
	p.layOutside()
}

// enclose lets the box reach around its children.
func enclose(b *Box) {
	for _, c := range b.Children {
		b.W = max(b.W, c.right()-b.X+pad)
		b.H = max(b.H, c.bottom()-b.Y+pad)
	}
}

// crop sets the drawing's size and puts the legend below everything.
func (p *plan) crop() {
	p.Walk(func(_, b *Box) {
		p.W = max(p.W, b.right()+margin)
		p.H = max(p.H, b.bottom())
	})
	p.Subtitle = p.words.t("Drawn from the templates that are deployed. An arrow is what security groups, routes and references let through.")
	p.legend = p.makeLegend(p.H + 24)
	p.H += 56
}
