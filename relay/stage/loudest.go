package stage

import (
	"slices"
	"strings"
	"time"
)

// A Level is how loud somebody is: the negative of the level in dBov, 0 (as loud as
// can be) to 127 (silence), as in RFC 6464 §3.
type Level uint8

// Silence is the level of nothing.
const Silence Level = 127

const (
	// speechLevel is what is taken for speech: anything quieter takes nobody's place.
	speechLevel = 50
	// attack and release are how fast the mean follows a level that rises and one
	// that falls: a word is not to be cut off, a cough not to be heard for long.
	attack, release = 60 * time.Millisecond, 400 * time.Millisecond
	// holdFor is how long a place is kept after its owner was last loud: longer
	// than the pauses between sentences.
	holdFor = 1500 * time.Millisecond
	// louderBy is by how many dB somebody has to exceed the quietest place's owner
	// to take the place before that.
	louderBy = 6
	// forgetAfter is how long after the last report somebody counts as silent.
	forgetAfter = 500 * time.Millisecond
)

// A Loudest chooses whose sound listeners get: at most N of a stage. One relay
// chooses for the whole room, so that everybody hears the same. It is driven by
// reports and the time, and does nothing by itself. The zero value with an N works.
type Loudest struct {
	// N is how many may be heard at once; zero means 3.
	N int

	voices map[string]*voice
	chosen []string
}

type voice struct {
	mean     float64 // smoothed level, dB above Silence
	speaks   bool    // the last report was speech
	reported time.Time
	loud     time.Time // when it last was speech
	chosen   bool
}

// Report says how loud somebody is at this moment.
func (l *Loudest) Report(name string, level Level, now time.Time) {
	if l.voices == nil {
		l.voices = make(map[string]*voice)
	}
	v := l.voices[name]
	if v == nil {
		v = &voice{reported: now.Add(-packet)}
		l.voices[name] = v
	}
	v.follow(float64(Silence-min(level, Silence)), now)
	if v.speaks = level <= speechLevel; v.speaks {
		v.loud = now
	}
}

// packet is how far apart reports are thought to be at the first.
const packet = 20 * time.Millisecond

// follow moves the mean towards a level.
func (v *voice) follow(level float64, now time.Time) {
	passed := min(max(now.Sub(v.reported), 0), forgetAfter)
	v.reported = now
	pace := release
	if level > v.mean {
		pace = attack
	}
	v.mean += (level - v.mean) * float64(passed) / float64(passed+pace)
}

// Forget takes somebody out who has left.
func (l *Loudest) Forget(name string) { delete(l.voices, name) }

// Choose returns who is to be heard now, by name. changed is false if that are the
// same as before.
func (l *Loudest) Choose(now time.Time) (names []string, changed bool) {
	n := l.N
	if n <= 0 {
		n = 3
	}
	var in, out []string
	for name, v := range l.voices {
		if now.Sub(v.reported) > forgetAfter {
			v.follow(0, now)
			v.speaks = false
		}
		switch {
		case v.chosen && now.Sub(v.loud) < holdFor:
			in = append(in, name)
		case v.speaks:
			out = append(out, name) // at once where there is room: no word loses its beginning
		default:
			v.chosen = false
		}
	}
	louder := func(a, b string) int {
		if d := l.voices[b].mean - l.voices[a].mean; d != 0 {
			return int(d / max(d, -d))
		}
		return strings.Compare(a, b)
	}
	slices.SortFunc(in, louder)
	slices.SortFunc(out, louder)
	in = in[:min(len(in), n)]
	for _, name := range out {
		if len(in) < n {
			in = append(in, name)
			continue
		}
		last := in[len(in)-1]
		if !l.voices[last].chosen || l.voices[name].mean < l.voices[last].mean+louderBy {
			break // the others are quieter still
		}
		in[len(in)-1] = name
		slices.SortFunc(in, louder)
	}
	for name, v := range l.voices {
		v.chosen = slices.Contains(in, name)
	}
	slices.Sort(in)
	changed = !slices.Equal(in, l.chosen)
	l.chosen = in
	return slices.Clone(in), changed
}
