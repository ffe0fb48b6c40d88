package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stentor-audio/stentor/relay/plan"
)

// Bounds of what can be rehearsed.
const (
	maxListeners = 10_000_000
	maxRelays    = plan.MaxRelays
	maxZones     = 32
	maxRooms     = 1_000_000
	maxSpeakers  = 16
	maxTime      = 24 * time.Hour
	maxCapacity  = 1_000_000
	maxCores     = 1024
)

// Things that happen to relays.
var deeds = []string{"add", "kill", "freeze", "drain", "roll", "flap", "split"}

// complete fills in what was not given and checks the rest.
func (s *Scenario) complete() error {
	c := checker{s: s}
	s.defaults()
	c.text("name", s.Name)
	c.time("duration", s.Duration, time.Second, maxTime)
	c.network(&s.Network)
	c.count("rooms.count", s.Rooms.Count, 1, maxRooms)
	c.count("rooms.speakers", s.Rooms.Speakers, 1, maxSpeakers)
	c.time("rooms.delay", s.Rooms.Delay, 20*time.Millisecond, 5*time.Second)
	if p := s.Rooms.Packet.get(); p != 0 && !slices.Contains(lengths[:], p) {
		c.bad("rooms.packet", "%v: want 60ms, 120ms or 0", p)
	}
	if len(s.Arrivals) == 0 {
		c.bad("arrivals", "nobody comes: want at least one")
	}
	all := 0
	for i := range s.Arrivals {
		c.arrival(fmt.Sprintf("arrivals[%d]", i), &s.Arrivals[i])
		all += s.Arrivals[i].Listeners
	}
	if all > maxListeners {
		c.bad("arrivals", "%d listeners in all: at most %d", all, maxListeners)
	}
	if s.Stay != 0 {
		c.time("stay", s.Stay, time.Second, maxTime)
	}
	for i := range s.Happenings {
		c.strike(fmt.Sprintf("happenings[%d]", i), &s.Happenings[i])
	}
	c.expect(s.Expect)
	return c.err()
}

func (s *Scenario) defaults() {
	n := &s.Network
	set(s, "network.capacity", &n.Capacity, 5000)
	set(s, "network.cores", &n.Cores, 8)
	set(s, "network.degree", &n.Degree, plan.DefaultDegree)
	set(s, "network.start", &n.Start, Duration(5*time.Second))
	set(s, "rooms.count", &s.Rooms.Count, 1)
	set(s, "rooms.speakers", &s.Rooms.Speakers, 1)
	set(s, "rooms.delay", &s.Rooms.Delay, Duration(200*time.Millisecond))
	for i := range s.Arrivals {
		set(s, fmt.Sprintf("arrivals[%d].shape", i), &s.Arrivals[i].Shape, "even")
	}
	for i := range s.Happenings {
		h, at := &s.Happenings[i], fmt.Sprintf("happenings[%d].", i)
		set(s, at+"deadline", &h.Deadline, Duration(30*time.Second))
		set(s, at+"at_once", &h.AtOnce, 1)
		if h.Do == "roll" || h.Do == "flap" {
			set(s, at+"down", &h.Down, Duration(5*time.Second))
		}
	}
}

// set gives a value to what a file does not mention.
func set[T comparable](s *Scenario, path string, to *T, value T) {
	if _, given := s.lines[path]; !given {
		*to = value
	}
}

// A checker gathers what is wrong.
type checker struct {
	s      *Scenario
	faults []string
}

func (c *checker) err() error {
	if len(c.faults) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrScenario, strings.Join(c.faults, "; "))
}

// bad notes a fault of the value at a path. Where that is not given, the line is
// that of what it would stand in.
func (c *checker) bad(path, format string, args ...any) {
	line := 0
	for at := path; at != "" && line == 0; {
		line = c.s.lines[at]
		at = at[:max(strings.LastIndexAny(at, ".["), 0)]
	}
	where := ""
	if line > 0 {
		where = fmt.Sprintf("line %d: ", line)
	}
	c.faults = append(c.faults, where+path+": "+fmt.Sprintf(format, args...))
}

func (c *checker) text(path, v string) {
	if v == "" || len(v) > 100 {
		c.bad(path, "%.40q: want 1 to 100 characters", v)
	}
}

func (c *checker) count(path string, v, least, most int) {
	if v < least || v > most {
		c.bad(path, "%d: want %d to %d", v, least, most)
	}
}

func (c *checker) time(path string, v Duration, least, most time.Duration) {
	if v.get() < least || v.get() > most {
		c.bad(path, "%v: want %v to %v", v.get(), least, most)
	}
}

func (c *checker) network(n *Network) {
	if len(n.Zones) == 0 || len(n.Zones) > maxZones {
		c.bad("network.zones", "%d zones: want 1 to %d", len(n.Zones), maxZones)
	}
	all, names := 0, make(map[string]bool)
	for i, z := range n.Zones {
		path := fmt.Sprintf("network.zones[%d]", i)
		if !isWord(z.Name) || names[z.Name] {
			c.bad(path+".name", "%q: want a name of its own, of at most 20 small letters and digits", z.Name)
		}
		names[z.Name] = true
		c.count(path+".relays", z.Relays, 0, maxRelays)
		all += z.Relays
	}
	if all < 1 || all > maxRelays {
		c.bad("network.zones", "%d relays in all: want 1 to %d", all, maxRelays)
	}
	c.count("network.capacity", n.Capacity, 1, maxCapacity)
	c.count("network.cores", n.Cores, 1, maxCores)
	if !(n.Shared >= 0 && n.Shared <= maxCores) {
		c.bad("network.cores_shared", "%v: want 0 to %d", n.Shared, maxCores)
	}
	c.count("network.egress", n.Egress, 0, 1_000_000_000)
	c.count("network.join_rate", n.JoinRate, 0, 1_000_000)
	c.count("network.degree", n.Degree, plan.MinDegree, plan.MaxDegree)
	c.time("network.start", n.Start, 0, time.Hour)
	c.count("network.lobbies", n.Lobbies, 0, maxRelays)
	c.time("network.lobby_cache", n.LobbyCache, 0, time.Minute)
}

func isWord(s string) bool {
	return s != "" && len(s) <= 20 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
}

func (c *checker) arrival(path string, a *Arrival) {
	c.time(path+".from", a.From, 0, c.s.Duration.get())
	c.time(path+".over", a.Over, 0, c.s.Duration.get())
	c.count(path+".listeners", a.Listeners, 1, maxListeners)
	if a.Shape != "even" && a.Shape != "peak" {
		c.bad(path+".shape", "%q: want even or peak", a.Shape)
	}
}

func (c *checker) strike(path string, h *Strike) {
	c.time(path+".at", h.At, 0, c.s.Duration.get())
	if !slices.Contains(deeds, h.Do) {
		c.bad(path+".do", "%q: want one of %s", h.Do, strings.Join(deeds, ", "))
		return
	}
	c.count(path+".relays", h.Relays, 0, maxRelays)
	if h.Share < 0 || h.Share > 1 || h.Share != h.Share {
		c.bad(path+".share", "%v: want 0 to 1", h.Share)
	}
	for _, zone := range append(slices.Clone(h.Zones), h.Zone) {
		if zone != "" && !slices.ContainsFunc(c.s.Network.Zones, func(z Zone) bool { return z.Name == zone }) {
			c.bad(path, "there is no zone %q", zone)
		}
	}
	if h.Role != "" && !slices.Contains([]string{"red", "blue", "roots", "edge"}, h.Role) {
		c.bad(path+".role", "%q: want red, blue, roots or edge", h.Role)
	}
	for name, v := range map[string]Duration{"down": h.Down, "up": h.Up, "for": h.For, "every": h.Every} {
		if v < 0 || v.get() > maxTime {
			c.bad(path+"."+name, "%v: want 0s to %v", v.get(), maxTime)
		}
	}
	c.time(path+".deadline", h.Deadline, time.Second, time.Hour)
	c.count(path+".at_once", h.AtOnce, 1, maxRelays)
	whom := h.Relays > 0 || h.Zone != "" || h.Share > 0 || h.Role != ""
	switch {
	case h.Do == "split" && (len(h.Zones) == 0 || len(h.Zones) >= len(c.s.Network.Zones)):
		c.bad(path+".zones", "want the zones of one side, and some left for the other")
	case h.Do == "split" && h.Down <= 0:
		c.bad(path+".down", "want how long it lasts")
	case h.Do == "add" && h.Relays == 0:
		c.bad(path+".relays", "want how many are added")
	case h.Do == "flap" && (h.Up <= 0 || h.For <= 0):
		c.bad(path+".up", "want up, how long a relay runs between two failures, and for, how long it goes on")
	case h.Do == "roll" && h.Every <= 0:
		c.bad(path+".every", "want how long it waits from one relay to the next")
	case h.Do != "split" && h.Do != "roll" && !whom:
		c.bad(path, "want whom it happens to: relays, zone, share or role")
	}
}

func (c *checker) expect(e Expect) {
	for name, v := range map[string]*int64{"lost": e.Lost, "others_lost": e.OthersLost} {
		if v != nil && *v < 0 {
			c.bad("expect."+name, "%d: want 0 or more", *v)
		}
	}
	for name, v := range map[string]*int{"unserved": e.Unserved, "failed": e.Failed} {
		if v != nil && *v < 0 {
			c.bad("expect."+name, "%d: want 0 or more", *v)
		}
	}
	for name, v := range map[string]*Duration{"struck_gap_p99": e.StruckGapP99, "all_in": e.AllIn, "speakers_out": e.SpeakersOut, "converge": e.Converge} {
		if v != nil && (*v < 0 || v.get() > maxTime) {
			c.bad("expect."+name, "%v: want 0s to %v", v.get(), maxTime)
		}
	}
	if v := e.LoadSpread; v != nil && !(*v >= 1 && *v <= 100) {
		c.bad("expect.load_spread", "%v: want 1 to 100", *v)
	}
}
