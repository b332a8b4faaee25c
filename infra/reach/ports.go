package reach

import (
	"fmt"
	"strconv"
)

// Ports is a range of TCP ports, both ends included.
type Ports struct{ From, To int }

// everyPort is what a rule without ports, or for all protocols, is about.
var everyPort = Ports{1, lastPort}

const lastPort = 65535

// Ports that connections begin at: those of Linux, the default of its
// ip_local_port_range, and those of load balancers and NAT gateways.
var (
	linuxClient = Ports{32768, 60999}
	anyClient   = Ports{1024, lastPort}
)

// Has reports whether the port is in the range.
func (p Ports) Has(port int) bool { return p.From <= port && port <= p.To }

// String is tcp/443, tcp/1024-65535, or tcp for every port.
func (p Ports) String() string {
	if p == everyPort {
		return "tcp"
	}
	return "tcp/" + p.numbers()
}

func (p Ports) numbers() string {
	if p == everyPort {
		return "all"
	}
	if p.From == p.To {
		return strconv.Itoa(p.From)
	}
	return fmt.Sprintf("%d-%d", p.From, p.To)
}

// protocol is as in IP: 6 is TCP. all is CloudFormation's -1.
const (
	tcp = "tcp"
	all = "all"
)

// protocolOf reads a protocol as security groups and access lists write it.
func protocolOf(text string) string {
	switch text {
	case "6", "tcp":
		return tcp
	case "-1", "":
		return all
	}
	return text
}

// portsOf reads a range; -1, 0 with nothing behind it and a missing one mean
// every port.
func portsOf(from, to any) Ports {
	f, fok := number(from)
	t, tok := number(to)
	if !fok || !tok || f < 0 || t < 0 {
		return everyPort
	}
	return Ports{max(f, 1), t}
}

func number(v any) (int, bool) {
	switch v := v.(type) {
	case float64:
		return int(v), true
	case string:
		n, err := strconv.Atoi(v)
		return n, err == nil
	}
	return 0, false
}
