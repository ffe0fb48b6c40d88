package cost

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// Constants are all figures. The zero value has the built-in ones. It is not
// changed: [Constants.With] and [Read] return another. It may be shared by
// goroutines.
type Constants struct {
	own   map[Key]Figure // what is not built in
	links map[link]float64
}

// A link is two zones in ascending order.
type link struct{ a, b string }

func linkOf(a, b string) link { return link{min(a, b), max(a, b)} }

// Figures are all of them, in an order that is always the same.
func (c Constants) Figures() []Figure {
	list := slices.Clone(defaults)
	for i := range list {
		list[i] = c.Figure(list[i].Key)
	}
	return list
}

// Figure is one of them. A key that does not exist is a mistake in the program.
func (c Constants) Figure(k Key) Figure {
	if f, ok := c.own[k]; ok {
		return f
	}
	f, ok := builtIn(k)
	if !ok {
		panic(fmt.Sprintf("cost: no figure %q", k))
	}
	return f
}

// Value is the figure's, in the unit that its key names.
func (c Constants) Value(k Key) float64 { return c.Figure(k).Value }

// Time is a figure that is a time.
func (c Constants) Time(k Key) time.Duration {
	f := c.Figure(k)
	switch f.Unit {
	case "µs":
		return time.Duration(f.Value * float64(time.Microsecond))
	case "ms":
		return time.Duration(f.Value * float64(time.Millisecond))
	}
	panic(fmt.Sprintf("cost: %s is no time but %s", k, f.Unit))
}

// With returns the constants with another value for one figure, and where it is
// from. It fails with [ErrUnknown] or [ErrAbsurd].
func (c Constants) With(k Key, value float64, source string) (Constants, error) {
	f, ok := builtIn(k)
	if !ok {
		return c, fmt.Errorf("%w: %q", ErrUnknown, k)
	}
	if math.IsNaN(value) || value < f.Low || value > f.High {
		return c, fmt.Errorf("%w: %s %v: want %v to %v %s", ErrAbsurd, k, value, f.Low, f.High, f.Unit)
	}
	f.Value, f.Source = value, source
	own := maps.Clone(c.own)
	if own == nil {
		own = make(map[Key]Figure)
	}
	own[k] = f
	return Constants{own: own, links: c.links}, nil
}

// WithLink returns the constants with the round trip between two zones, or within
// one if they are the same.
func (c Constants) WithLink(a, b string, rtt time.Duration) (Constants, error) {
	const most = 10 * time.Second
	if rtt < 0 || rtt > most {
		return c, fmt.Errorf("%w: a round trip of %v between %q and %q: want 0 to %v", ErrAbsurd, rtt, a, b, most)
	}
	links := maps.Clone(c.links)
	if links == nil {
		links = make(map[link]float64)
	}
	links[linkOf(a, b)] = float64(rtt) / float64(time.Millisecond)
	return Constants{own: c.own, links: links}, nil
}

// RTT is the round trip between relays of two zones, the same one or not.
func (c Constants) RTT(a, b string) time.Duration {
	ms, ok := c.links[linkOf(a, b)]
	switch {
	case ok:
	case a == b:
		ms = c.Value(RTTZone)
	default:
		ms = c.Value(RTTZones)
	}
	return time.Duration(ms * float64(time.Millisecond))
}

func builtIn(k Key) (Figure, bool) {
	i := slices.IndexFunc(defaults, func(f Figure) bool { return f.Key == k })
	if i < 0 {
		return Figure{}, false
	}
	return defaults[i], true
}
