package floor

import (
	"cmp"
	"slices"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay/stage"
)

const (
	// bundle is what spans are whole multiples of, so that no bundle is cut.
	bundle = 6
	// lead is how many groups a voice that is talking goes on for when it is not
	// chosen any more: so everybody knows of it before it ends.
	lead = 12
	// lookBack is how many groups before it was chosen a voice begins at the most: it
	// was loud before that was known.
	lookBack = 15
	// keepSpans is how many groups back spans are told: what rings and buffers hold.
	keepSpans = 1024
	// calmFor is how long a room must have had no more than N broadcasts until nothing
	// is told of it any more.
	calmFor = 30 * time.Second
)

// A present is a broadcast that is live, as it is now.
type present struct {
	name      protocol.Path
	publisher uint64
	level     stage.Level
	paused    bool // nothing comes
	any       bool // something has
	newest    uint64
	begun     uint64 // first sequence after the last pause
}

// A director turns levels into spans. The zero value with an n works.
type director struct {
	n       int
	loudest stage.Loudest
	voices  map[protocol.Path]*part
	calm    time.Time // since when there is room for all; zero: there is not
}

// A part is one voice of the floor.
type part struct {
	publisher uint64
	spans     []protocol.Span
	chosen    time.Time // when it was last
}

func (p *part) open() bool {
	return len(p.spans) > 0 && p.spans[len(p.spans)-1].Until == protocol.Forever
}

// adopt goes on from what another relay has decided.
func (d *director) adopt(f *protocol.Floor) {
	was := d.voices
	d.voices = make(map[protocol.Path]*part)
	for _, v := range f.Voices {
		p := &part{publisher: v.Publisher, spans: slices.Clone(v.Spans)}
		if old := was[v.Name]; old != nil && old.publisher == v.Publisher {
			p.chosen = old.chosen
		}
		d.voices[v.Name] = p
	}
}

// hear takes the levels, whoever decides.
func (d *director) hear(now time.Time, all []present) (chosen []string) {
	d.loudest.N = d.n
	for _, v := range all {
		d.loudest.Report(string(v.name), v.level, now)
	}
	chosen, _ = d.loudest.Choose(now)
	return chosen
}

// direct returns who is heard from now on; nil is everybody.
func (d *director) direct(now time.Time, all []present) *protocol.Floor {
	d.settle(all)
	chosen := d.hear(now, all)
	if len(all) > d.n {
		d.calm = time.Time{}
	} else if d.calm.IsZero() {
		d.calm = now
	}
	if !d.calm.IsZero() && now.Sub(d.calm) >= calmFor || len(d.voices) == 0 {
		d.voices = nil
		return nil
	}
	places := d.places(now, all, chosen)
	f := new(protocol.Floor)
	for _, v := range all {
		p := d.voices[v.name]
		if slices.Contains(places, v.name) {
			p.begin(v)
		} else {
			p.end(v)
		}
		p.trim(v)
		f.Voices = append(f.Voices, protocol.Voice{Name: v.name, Publisher: v.publisher, Spans: slices.Clone(p.spans)})
	}
	return f
}

// settle takes in who has come, and out who has gone. When it becomes crowded all
// who are there are heard.
func (d *director) settle(all []present) {
	first := d.voices == nil
	if first && len(all) <= d.n {
		return
	}
	if first {
		d.voices = make(map[protocol.Path]*part)
	}
	live := make(map[protocol.Path]bool)
	for _, v := range all {
		live[v.name] = true
		if p := d.voices[v.name]; p != nil && p.publisher == v.publisher {
			continue
		}
		p := &part{publisher: v.publisher}
		if first {
			p.spans = []protocol.Span{{Until: protocol.Forever}}
		}
		d.voices[v.name] = p
	}
	for name := range d.voices {
		if !live[name] {
			delete(d.voices, name)
			d.loudest.Forget(string(name))
		}
	}
}

// places are those who are heard: the chosen, and where they are few, who was
// last. Somebody who goes on after a pause then loses nothing.
func (d *director) places(now time.Time, all []present, chosen []string) []protocol.Path {
	var names []protocol.Path
	for _, v := range all {
		names = append(names, v.name)
		if slices.Contains(chosen, string(v.name)) {
			d.voices[v.name].chosen = now
		}
	}
	slices.SortFunc(names, func(a, b protocol.Path) int {
		x, y := d.voices[a], d.voices[b]
		if x.open() != y.open() && x.chosen.Equal(y.chosen) {
			if x.open() {
				return -1
			}
			return 1
		}
		return cmp.Or(y.chosen.Compare(x.chosen), cmp.Compare(a, b))
	})
	return names[:min(len(names), d.n)]
}

// begin has a voice heard from where it began to speak.
func (p *part) begin(v present) {
	if p.open() {
		return
	}
	from := v.begun
	if v.newest > from+lookBack {
		from = v.newest - lookBack
	}
	from -= from % bundle
	if !v.any {
		from = 0
	}
	if last := len(p.spans) - 1; last >= 0 && from <= p.spans[last].Until {
		p.spans[last].Until = protocol.Forever
		return
	}
	p.spans = append(p.spans, protocol.Span{From: from, Until: protocol.Forever})
}

// end has it heard no more.
func (p *part) end(v present) {
	if !p.open() {
		return
	}
	last := len(p.spans) - 1
	if !v.any {
		p.spans = p.spans[:last]
		return
	}
	until := v.newest + 1
	if !v.paused {
		until += lead
	}
	until += (bundle - until%bundle) % bundle
	if p.spans[last].Until = until; until <= p.spans[last].From {
		p.spans = p.spans[:last]
	}
}

// trim forgets what nobody holds any more.
func (p *part) trim(v present) {
	p.spans = slices.DeleteFunc(p.spans, func(s protocol.Span) bool {
		return s.Until != protocol.Forever && s.Until+keepSpans < v.newest
	})
	if extra := len(p.spans) - protocol.MaxSpans; extra > 0 {
		p.spans = slices.Delete(p.spans, 0, extra)
	}
}
