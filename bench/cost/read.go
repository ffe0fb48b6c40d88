package cost

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// maxFile is how long a file of figures may be. Results of bench with all their
// slices are some hundred kilobytes.
const maxFile = 16 << 20

// Read returns the built-in constants with what files say instead, the later ones
// over those before. A file is what `stentor bench fanout|storm|hop --json` has
// written, or an object of [Key]s and numbers:
//
//	{"cpu_us_per_datagram_60ms": 12.5, "rtt_between_zones_ms": 25,
//	 "links": [{"from": "par", "to": "ams", "rtt_ms": 11}]}
//
// It fails with [ErrFormat], [ErrUnknown], [ErrAbsurd], [ErrMissing] or
// [ErrPartial], with the file's name.
func Read(files ...string) (Constants, error) {
	var c Constants
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return Constants{}, fmt.Errorf("constants: %w", err)
		}
		c, err = c.Overlay(f, filepath.Base(name))
		_ = f.Close()
		if err != nil {
			return Constants{}, fmt.Errorf("constants: %s: %w", name, err)
		}
	}
	return c, nil
}

// Overlay returns the constants with what one file says instead; source is its
// name, for [Figure.Source].
func (c Constants) Overlay(r io.Reader, source string) (Constants, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return c, err
	}
	if len(b) > maxFile {
		return c, fmt.Errorf("%w: longer than %d MiB", ErrFormat, maxFile>>20)
	}
	var o object
	if err := json.Unmarshal(b, &o); err != nil {
		return c, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	switch {
	case len(o) == 0:
		return c, fmt.Errorf("%w: it has no figures", ErrFormat)
	case o.has("packet_ms", "expected", "delivered"):
		return c.fanout(o, source+", "+fanout)
	case o.has("offered_per_s", "joins", "established"):
		return c.storm(o, source+", "+storm)
	case o.has("kills", "took_ms"):
		return c.hop(o, source+", "+hops)
	}
	return c.plain(o, source)
}

// An object is one of JSON, its values unread.
type object map[string]json.RawMessage

func (o object) has(keys ...string) bool {
	for _, k := range keys {
		if _, ok := o[k]; !ok {
			return false
		}
	}
	return true
}

// number reads one value. Null is none.
func (o object) number(path ...string) (float64, error) {
	name := strings.Join(path, ".")
	for ; len(path) > 1; path = path[1:] {
		var inner object
		if raw, ok := o[path[0]]; ok {
			if err := json.Unmarshal(raw, &inner); err != nil {
				return 0, fmt.Errorf("%w: %s is no object", ErrFormat, path[0])
			}
		}
		o = inner
	}
	raw, ok := o[path[0]]
	if !ok || string(raw) == "null" {
		return 0, fmt.Errorf("%w: %s", ErrMissing, name)
	}
	var v float64
	if err := json.Unmarshal(raw, &v); err != nil {
		return 0, fmt.Errorf("%w: %s is no number: %.40s", ErrFormat, name, raw)
	}
	return v, nil
}

// whole refuses a result that is only a part.
func (o object) whole() error {
	if string(o["partial"]) == "true" {
		return fmt.Errorf("%w: measure it again, to the end", ErrPartial)
	}
	return nil
}

// An item is where a figure stands in a result.
type item struct {
	key  Key
	path []string
}

// take replaces figures by those of a result.
func (c Constants) take(o object, source string, items ...item) (Constants, error) {
	if err := o.whole(); err != nil {
		return c, err
	}
	for _, i := range items {
		v, err := o.number(i.path...)
		if err != nil {
			return c, err
		}
		if c, err = c.With(i.key, v, source); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (c Constants) fanout(o object, source string) (Constants, error) {
	ms, err := o.number("packet_ms")
	if err != nil {
		return c, err
	}
	packet := time.Duration(ms * float64(time.Millisecond))
	i := slices.Index(Packets[:], packet)
	if i < 0 {
		return c, fmt.Errorf("%w: packet_ms %v: want 20, 60 or 120", ErrAbsurd, ms)
	}
	var transport Transport
	if err := json.Unmarshal(o["transport"], &transport); err != nil {
		return c, fmt.Errorf("%w: transport", ErrMissing)
	}
	var cpu, memory Key
	switch transport {
	case QUIC:
		cpu, memory = [...]Key{QUIC20, QUIC60, QUIC120}[i], MemoryQUIC
	case WebTransport:
		cpu, memory = [...]Key{WebTransport20, WebTransport60, WebTransport120}[i], MemoryWebTransport
	default:
		return c, fmt.Errorf("%w: transport %q: want quic or webtransport", ErrAbsurd, transport)
	}
	c, err = c.take(o, source, item{cpu, []string{"relay_cpu_us_per_datagram"}}, item{memory, []string{"relay_rss_bytes_per_listener"}})
	if errors.Is(err, ErrMissing) {
		err = fmt.Errorf("%w: give bench fanout the relay's --pid", err)
	}
	return c, err
}

func (c Constants) storm(o object, source string) (Constants, error) {
	return c.take(o, source,
		item{JoinCPU, []string{"relay_cpu_ms_per_join"}},
		item{FirstAudio50, []string{"at_80_percent", "first_audio_ms", "p50"}},
		item{FirstAudio99, []string{"at_80_percent", "first_audio_ms", "p99"}})
}

// hop takes the times of hops, those of drains apart from all others.
func (c Constants) hop(o object, source string) (Constants, error) {
	var kills []strike
	if err := json.Unmarshal(o["kills"], &kills); err != nil {
		return c, fmt.Errorf("%w: kills: %w", ErrFormat, err)
	}
	kills = slices.DeleteFunc(kills, func(s strike) bool { return s.Skipped != "" || s.Hops != nil && *s.Hops == 0 })
	drains := slices.DeleteFunc(slices.Clone(kills), func(s strike) bool { return !s.gentle() })
	others := slices.DeleteFunc(slices.Clone(kills), strike.gentle)
	if len(kills) == 0 {
		return c, fmt.Errorf("%w: nobody hopped", ErrMissing)
	}
	// One kind is told of in the whole; of two, each by its worst strike.
	if len(drains) > 0 && len(others) > 0 {
		c, err := c.worst(o, source, drains, Drain50, Drain99)
		if err == nil {
			c, err = c.worst(o, source, others, Hop50, Hop99)
		}
		return c.network(o, source, err)
	}
	p50, p99 := Hop50, Hop99
	if len(drains) > 0 {
		p50, p99 = Drain50, Drain99
	}
	c, err := c.take(o, source, item{p50, []string{"took_ms", "p50"}}, item{p99, []string{"took_ms", "p99"}})
	return c.network(o, source, err)
}

// A strike is one of bench hop's.
type strike struct {
	Cause   string `json:"cause"`
	Skipped string `json:"skipped"`
	Hops    *int   `json:"hops"`
	Took    *struct {
		P50 float64 `json:"p50"`
		P99 float64 `json:"p99"`
	} `json:"took_ms"`
}

// gentle are those at which sessions are asked to go.
func (s strike) gentle() bool { return s.Cause == "drain" || s.Cause == "restart" }

func (c Constants) worst(o object, source string, strikes []strike, p50, p99 Key) (Constants, error) {
	if err := o.whole(); err != nil {
		return c, err
	}
	var middle, slowest float64
	for _, s := range strikes {
		if s.Took == nil {
			return c, fmt.Errorf("%w: took_ms of a %s", ErrMissing, s.Cause)
		}
		middle, slowest = max(middle, s.Took.P50), max(slowest, s.Took.P99)
	}
	c, err := c.With(p50, middle, source)
	if err != nil {
		return c, err
	}
	return c.With(p99, slowest, source)
}

// network takes what the hosts were apart, unless all was on one.
func (c Constants) network(o object, source string, err error) (Constants, error) {
	if err != nil || string(o["network"]) == `"loopback"` {
		return c, err
	}
	rtt := []string{"rtt_ms"} // between any two hosts, whatever their zones
	return c.take(o, source, item{RTTClient, rtt}, item{RTTZones, rtt}, item{RTTZone, rtt}, item{Jitter, []string{"jitter_ms"}})
}

// plain reads keys and numbers.
func (c Constants) plain(o object, source string) (Constants, error) {
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if name == "links" {
			continue
		}
		if _, ok := builtIn(Key(name)); !ok {
			return c, fmt.Errorf("%w: %q; the keys are those of package bench/cost, such as %q", ErrUnknown, name, QUIC60)
		}
		v, err := o.number(name)
		if err != nil {
			return c, err
		}
		if c, err = c.With(Key(name), v, source); err != nil {
			return c, err
		}
	}
	return c.readLinks(o["links"])
}

func (c Constants) readLinks(raw json.RawMessage) (Constants, error) {
	if raw == nil {
		return c, nil
	}
	var links []struct {
		From *string  `json:"from"`
		To   *string  `json:"to"`
		RTT  *float64 `json:"rtt_ms"`
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.DisallowUnknownFields()
	if err := d.Decode(&links); err != nil {
		return c, fmt.Errorf("%w: links: %w", ErrFormat, err)
	}
	for i, l := range links {
		if l.From == nil || l.To == nil || l.RTT == nil {
			return c, fmt.Errorf("%w: links, number %d: want from, to and rtt_ms", ErrMissing, i+1)
		}
		var err error
		if c, err = c.WithLink(*l.From, *l.To, time.Duration(*l.RTT*float64(time.Millisecond))); err != nil {
			return c, err
		}
	}
	return c, nil
}
