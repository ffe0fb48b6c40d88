package hop

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the effects that come out into testdata/cases.json")

const casesFile = "testdata/cases.json"

// A caseFile is testdata/cases.json; testdata/README.md describes it.
type caseFile struct {
	Relays    map[string]Candidate   `json:"relays"`
	Preambles map[string][]caseEvent `json:"preambles"`
	Cases     []hopCase              `json:"cases"`
}

type hopCase struct {
	Name    string       `json:"name"`
	Why     string       `json:"why"`
	Machine string       `json:"machine"`
	Jitter  float64      `json:"jitter,omitempty"`
	Cold    bool         `json:"cold,omitempty"`
	After   string       `json:"after,omitempty"`
	Since   float64      `json:"since,omitempty"`
	Until   float64      `json:"until"`
	Events  []caseEvent  `json:"events"`
	Effects []caseEffect `json:"effects"`
}

type caseEvent struct {
	At         float64  `json:"at"`
	Do         string   `json:"do"`
	Session    Session  `json:"session,omitempty"`
	Track      Track    `json:"track,omitempty"`
	Sequence   uint64   `json:"sequence,omitempty"`
	Frames     int      `json:"frames,omitempty"`
	Timestamp  *float64 `json:"timestamp,omitempty"`
	Ticks      bool     `json:"ticks,omitempty"`
	Final      bool     `json:"final,omitempty"`
	Cause      string   `json:"cause,omitempty"`
	URIs       []string `json:"uris,omitempty"`
	Within     float64  `json:"within,omitempty"`
	Candidates []string `json:"candidates,omitempty"`
	Name       string   `json:"name,omitempty"`
	Cold       bool     `json:"cold,omitempty"`

	// Of "arrived" and "ticked" that repeat.
	Count int          `json:"count,omitempty"`
	Every float64      `json:"every,omitempty"`
	Lost  []int        `json:"lost,omitempty"`
	Late  [][2]float64 `json:"late,omitempty"` // which, and by how much
}

type caseEffect struct {
	At      float64 `json:"at"`
	Do      string  `json:"do"`
	Session Session `json:"session,omitempty"`
	Relay   string  `json:"relay,omitempty"`
	Track   *Track  `json:"track,omitempty"`
	Start   *uint64 `json:"start,omitempty"`
	From    string  `json:"from,omitempty"`
	To      string  `json:"to,omitempty"`
	Cause   string  `json:"cause,omitempty"`
	Took    float64 `json:"took,omitempty"`
}

func ms(d time.Duration) float64   { return float64(d) / float64(time.Millisecond) }
func dur(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

type timedEvent struct {
	at time.Duration
	Event
}

// expand gives the events of a line, in their order.
func (c caseEvent) expand(t testing.TB, relays map[string]Candidate) []timedEvent {
	e := Event{
		Session: c.Session, Track: c.Track, Sequence: c.Sequence, Frames: max(c.Frames, 1), Ticks: c.Ticks,
		Final: c.Final, URIs: c.URIs, Within: dur(c.Within), Name: c.Name, Cold: c.Cold,
	}
	kind := slices.Index(eventNames[:], c.Do)
	cause := slices.Index(causeNames[:], c.Cause)
	if kind < 0 || cause < 0 {
		t.Fatalf("unknown event %q or cause %q", c.Do, c.Cause)
	}
	e.Kind, e.Cause = EventKind(kind), Cause(cause)
	for _, name := range c.Candidates {
		r, ok := relays[name]
		if !ok {
			t.Fatalf("unknown relay %q", name)
		}
		r.Name = name
		e.Candidates = append(e.Candidates, r)
	}
	length := time.Duration(e.Frames) * Frame
	e.Timestamp = time.Duration(c.Sequence) * Frame
	if c.Timestamp != nil {
		e.Timestamp = dur(*c.Timestamp)
	}
	every := length
	if c.Every > 0 {
		every = dur(c.Every)
	}
	var out []timedEvent
	for i := range max(c.Count, 1) {
		at := dur(c.At) + time.Duration(i)*every
		for _, late := range c.Late {
			if int(late[0]) == i {
				at += dur(late[1])
			}
		}
		if !slices.Contains(c.Lost, i) {
			out = append(out, timedEvent{at, e})
		}
		e.Sequence += uint64(e.Frames)
		e.Timestamp += length
	}
	return out
}

type stepper interface {
	Step(time.Duration, Event) []Effect
	Deadline() (time.Duration, bool)
}

// drive gives a machine its events, and the time whenever it wants it.
func drive(t testing.TB, m stepper, events []timedEvent, until time.Duration, saw func(time.Duration, []Effect)) {
	slices.SortStableFunc(events, func(a, b timedEvent) int { return int(a.at - b.at) })
	now, idle := time.Duration(0), 0
	for {
		at, e := until+1, Event{}
		if len(events) > 0 {
			at, e = events[0].at, events[0].Event
		}
		if deadline, ok := m.Deadline(); ok && deadline < at {
			at, e = deadline, Event{}
		} else if len(events) > 0 {
			events = events[1:]
		}
		if at > until {
			return
		}
		if idle++; at > now {
			now, idle = at, 0
		}
		if idle > 200 {
			t.Fatalf("at %v: the machine wants to be stepped for ever", now)
		}
		saw(now, m.Step(now, e))
	}
}

func (c hopCase) run(t testing.TB, file *caseFile) []caseEffect {
	var events []timedEvent
	for _, list := range [][]caseEvent{file.Preambles[c.After], c.Events} {
		for _, e := range list {
			events = append(events, e.expand(t, file.Relays)...)
		}
	}
	o := Options{Jitter: c.Jitter, Cold: c.Cold}
	var m stepper = New(o)
	if c.Machine == "speaker" {
		m = NewPair(o)
	}
	var got []caseEffect
	drive(t, m, events, dur(c.Until), func(now time.Duration, effects []Effect) {
		for _, e := range effects {
			if now >= dur(c.Since) {
				got = append(got, written(now, e))
			}
		}
	})
	return got
}

// written is an effect as the table has it.
func written(now time.Duration, e Effect) caseEffect {
	w := caseEffect{
		At: ms(now), Do: e.Kind.String(), Session: e.Session, Relay: e.Candidate.Name,
		From: e.From, To: e.To, Cause: e.Cause.String(), Took: ms(e.Took),
	}
	if e.Kind == Subscribe || e.Kind == Unsubscribe {
		w.Track = &e.Track
	}
	if e.Resume {
		w.Start = &e.Start
	}
	return w
}

func readCases(t testing.TB) *caseFile {
	t.Helper()
	b, err := os.ReadFile(casesFile)
	if err != nil {
		t.Fatal(err)
	}
	var file caseFile
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		t.Fatal(err)
	}
	return &file
}

func TestCases(t *testing.T) {
	file := readCases(t)
	for i := range file.Cases {
		c := &file.Cases[i]
		t.Run(c.Name, func(t *testing.T) {
			got := c.run(t, file)
			if *update {
				c.Effects = got
				return
			}
			g, w := lines(t, got), lines(t, c.Effects)
			if !slices.Equal(g, w) {
				t.Errorf("%s\ngot:\n%s\nwant:\n%s", c.Why, join(g), join(w))
			}
		})
	}
	if *update {
		if err := os.WriteFile(casesFile, file.bytes(t), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func lines[T any](t testing.TB, list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = string(b)
	}
	return out
}

func join(list []string) string {
	var b bytes.Buffer
	for _, s := range list {
		fmt.Fprintf(&b, "  %s\n", s)
	}
	return b.String()
}

// bytes is the file with an event or an effect on a line.
func (f *caseFile) bytes(t testing.TB) []byte {
	var b bytes.Buffer
	list := func(indent, name string, items []string, end string) {
		fmt.Fprintf(&b, "%s%q: [", indent, name)
		for i, s := range items {
			fmt.Fprintf(&b, "%s\n%s  %s", map[bool]string{true: ","}[i > 0], indent, s)
		}
		if len(items) > 0 {
			fmt.Fprintf(&b, "\n%s", indent)
		}
		fmt.Fprintf(&b, "]%s\n", end)
	}
	b.WriteString("{\n  \"relays\": {\n")
	names := keys(f.Relays)
	for i, name := range names {
		r := f.Relays[name]
		fmt.Fprintf(&b, "    %q: {\"zone\":%q,\"url\":%q}%s\n", name, r.Zone, r.URL, comma(i, len(names)))
	}
	b.WriteString("  },\n  \"preambles\": {\n")
	names = keys(f.Preambles)
	for i, name := range names {
		list("    ", name, lines(t, f.Preambles[name]), comma(i, len(names)))
	}
	b.WriteString("  },\n  \"cases\": [\n")
	for i, c := range f.Cases {
		fmt.Fprintf(&b, "    {\n      \"name\": %s,\n      \"why\": %s,\n", quote(t, c.Name), quote(t, c.Why))
		fmt.Fprintf(&b, "      \"machine\": %q,\n", c.Machine)
		if c.Jitter != 0 {
			fmt.Fprintf(&b, "      \"jitter\": %v,\n", c.Jitter)
		}
		if c.Cold {
			b.WriteString("      \"cold\": true,\n")
		}
		if c.After != "" {
			fmt.Fprintf(&b, "      \"after\": %q,\n", c.After)
		}
		if c.Since != 0 {
			fmt.Fprintf(&b, "      \"since\": %v,\n", c.Since)
		}
		fmt.Fprintf(&b, "      \"until\": %v,\n", c.Until)
		list("      ", "events", lines(t, c.Events), ",")
		list("      ", "effects", lines(t, c.Effects), "")
		fmt.Fprintf(&b, "    }%s\n", comma(i, len(f.Cases)))
	}
	b.WriteString("  ]\n}\n")
	return b.Bytes()
}

func keys[V any](m map[string]V) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

func comma(i, n int) string { return map[bool]string{true: ","}[i < n-1] }

func quote(t testing.TB, s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSpace(b.Bytes()))
}
