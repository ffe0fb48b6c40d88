package qmux

import (
	"fmt"
	"slices"
	"strings"
)

// A Version is the number of the draft whose rules a session keeps. The bytes
// are the same in all of them.
type Version uint8

// The versions spoken.
const (
	Draft01 Version = 1
	Draft02 Version = 2
)

// Versions are those spoken, most wanted first.
var Versions = []Version{Draft02, Draft01}

// String is the version's name in a subprotocol.
func (v Version) String() string { return fmt.Sprintf("qmux-%02d", uint8(v)) }

// Strict reports whether parameters must come first and pings must count up.
func (v Version) Strict() bool { return v >= Draft02 }

// Subprotocol is the value of Sec-WebSocket-Protocol for an application protocol
// on v.
func (v Version) Subprotocol(application string) string { return v.String() + "." + application }

// Select chooses among the values that the header lines of an offer name. The
// server's order decides: applications as given, and for each the versions of
// [Versions]. It returns false where nothing fits: names without an application
// protocol, or without a version, never do.
func Select(lines, applications []string) (application string, v Version, ok bool) {
	offered := offers(lines)
	for _, application := range applications {
		for _, v := range Versions {
			if slices.Contains(offered, v.Subprotocol(application)) {
				return application, v, true
			}
		}
	}
	return "", 0, false
}

func offers(lines []string) []string {
	var out []string
	for _, line := range lines {
		for item := range strings.SplitSeq(line, ",") {
			if item = strings.Trim(item, " \t"); item != "" {
				out = append(out, item)
			}
		}
	}
	return out
}

// Offer is what a client that speaks application offers.
func Offer(application string) []string {
	out := make([]string, 0, len(Versions))
	for _, v := range Versions {
		out = append(out, v.Subprotocol(application))
	}
	return out
}

// ParseSubprotocol takes a subprotocol that was chosen apart.
func ParseSubprotocol(s string) (application string, v Version, ok bool) {
	for _, v := range Versions {
		if application, ok := strings.CutPrefix(s, v.String()+"."); ok && application != "" {
			return application, v, true
		}
	}
	return "", 0, false
}
