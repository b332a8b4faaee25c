package reach

// way returns the access lists that the connection's packets and their answers
// cross, or what stops them before.
func (n *Network) way(c connection, t *trail) (list []crossing, stop string) {
	switch {
	case c.from.subnet == nil && c.to.subnet == nil:
		return nil, t.stop("both are outside")
	case c.from.subnet == nil:
		return n.wayIn(c, t)
	case c.to.subnet == nil:
		return n.wayOut(c, t)
	}
	return n.wayAcross(c, t)
}

// wayAcross is between two things of the VPC. Inside one subnet no list stands.
func (n *Network) wayAcross(c connection, t *trail) ([]crossing, string) {
	from, to := c.from.subnet, c.to.subnet
	if from == to {
		t.pass("inside %s", from.Name)
		return nil, ""
	}
	for _, leg := range []struct {
		at *Subnet
		to end
	}{{from, c.to}, {to, c.from}} {
		if r, ok := n.route(leg.at, leg.to.addr, ""); !ok || r.Way != WayLocal {
			return nil, t.stop("%s has no route inside the VPC to %s", leg.at.Name, leg.to.addr)
		}
	}
	t.pass("from %s to %s inside the VPC", from.Name, to.Name)
	return []crossing{
		{subnet: from, out: true, with: c.to.addr, port: c.port},
		{subnet: to, with: c.from.addr, port: c.port},
		{subnet: to, out: true, with: c.from.addr, port: c.clientPort, answer: true},
		{subnet: from, with: c.to.addr, port: c.clientPort, answer: true},
	}, ""
}

// wayOut is from the VPC to somebody outside.
func (n *Network) wayOut(c connection, t *trail) ([]crossing, string) {
	s := c.from.subnet
	r, ok := n.route(s, c.to.addr, c.to.list)
	if !ok {
		return nil, t.stop("%s has no route to %s", s.Name, c.to.party.Name)
	}
	own := []crossing{
		{subnet: s, out: true, with: c.to.addr, port: c.port},
		{subnet: s, with: c.to.addr, port: c.clientPort, answer: true},
	}
	switch {
	case r.Way == WayNAT:
		return n.wayNAT(c, r, own, t)
	case r.Way == WayInternet && !c.from.party.Public && !s.GivesAddresses:
		return nil, t.stop("%s has no public address", c.from.party.Name)
	case r.Way == WayTransit && len(n.Attachments) == 0:
		return nil, t.stop("the transit gateway is not attached to the VPC")
	case r.Way != c.to.party.Comes && (r.Way != WayInternet || c.to.party.Comes != WayEndpoint):
		return nil, t.stop("%s is not to be had by %s", c.to.party.Name, r.Way)
	}
	t.pass("%s", r)
	return own, ""
}

// wayNAT goes on from the NAT gateway, which stands in a subnet with a list of
// its own.
func (n *Network) wayNAT(c connection, r Route, own []crossing, t *trail) ([]crossing, string) {
	at := r.NAT.Subnet
	next, ok := n.route(at, c.to.addr, c.to.list)
	switch {
	case !ok || next.Way != WayInternet && next.Way != WayEndpoint:
		return nil, t.stop("%s has no route to the Internet", at.Name)
	case !r.NAT.Public:
		return nil, t.stop("%s has no public address", r.NAT.Name)
	case c.to.party.Comes != WayInternet && c.to.party.Comes != WayEndpoint:
		return nil, t.stop("%s is not to be had by the Internet", c.to.party.Name)
	}
	list := []crossing{own[0]}
	if at != c.from.subnet {
		list = append(list, crossing{subnet: at, with: c.from.addr, port: c.port})
	}
	list = append(list,
		crossing{subnet: at, out: true, with: c.to.addr, port: c.port},
		crossing{subnet: at, with: c.to.addr, port: c.natPort, answer: true})
	if at != c.from.subnet {
		list = append(list, crossing{subnet: at, out: true, with: c.from.addr, port: c.clientPort, answer: true}, own[1])
	}
	t.pass("%s", r)
	return list, ""
}

// wayIn is from somebody outside into the VPC.
func (n *Network) wayIn(c connection, t *trail) ([]crossing, string) {
	to := c.to.subnet
	if c.from.party.link != nil {
		t.pass("by PrivateLink, which %s is behind", c.to.party.Name)
		return nil, ""
	}
	back, ok := n.route(to, c.from.addr, c.from.list)
	switch {
	case c.from.party.Comes == WayEndpoint:
		return nil, t.stop("a gateway endpoint opens no connection")
	case c.from.party.Comes == WayInternet && !c.to.party.Public:
		return nil, t.stop("%s has no public address", c.to.party.Name)
	case c.from.party.Comes == WayTransit && len(n.Attachments) == 0:
		return nil, t.stop("no transit gateway leads into the VPC")
	case !ok || back.Way != c.from.party.Comes:
		return nil, t.stop("%s has no route back to %s by %s", to.Name, c.from.party.Name, c.from.party.Comes)
	}
	list := []crossing{
		{subnet: to, with: c.from.addr, port: c.port},
		{subnet: to, out: true, with: c.from.addr, port: c.clientPort, answer: true},
	}
	if c.entry == to {
		// From an attachment in the same subnet the list is not asked on the way in.
		list = list[1:]
	}
	t.pass("by %s", c.from.party.Comes)
	return list, ""
}
