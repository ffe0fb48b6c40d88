package protocol

import (
	"fmt"
	"math"
	"strings"
)

// Tracks about who is heard (docs/wire.md, section 21).
const (
	// TrackLevel is a broadcast's: how loud its speaker is, a [Level] a group.
	TrackLevel = "level"
	// TrackGuard is a broadcast's: what the speaker's client has found of an echo.
	TrackGuard = "guard"
	// TrackLoudest is a room's: its [Floor], one a group.
	TrackLoudest = "loudest"
)

// Bounds of a [Floor].
const (
	// MaxVoices is how many broadcasts it may name.
	MaxVoices = 256
	// MaxSpans is how many spans one of them may have.
	MaxSpans = 8
)

// Forever is the end of a [Span] that has none yet.
const Forever uint64 = math.MaxUint64

// A Span is the groups From to Until, that one left out, of [TrackAudio].
type Span struct{ From, Until uint64 }

// A Voice is what of one broadcast is for listeners.
type Voice struct {
	// Name is its path below the room.
	Name Path
	// Publisher is the hop id of its publisher: another's broadcast of that name is
	// another voice.
	Publisher uint64
	// Spans are the groups for listeners, in order. Of the groups before the first
	// span nothing is said that matters any more: they count as not for listeners.
	Spans []Span
}

// Has reports whether a group of [TrackAudio] is for listeners.
func (v *Voice) Has(sequence uint64) bool {
	for i := len(v.Spans) - 1; i >= 0; i-- { // mostly it is about the newest
		if s := v.Spans[i]; sequence >= s.From {
			return sequence < s.Until
		}
	}
	return false
}

// Next is the first group from sequence on that is for listeners, [Forever] if it
// is not known to be any.
func (v *Voice) Next(sequence uint64) uint64 {
	for _, s := range v.Spans {
		if sequence < s.Until {
			return max(sequence, s.From)
		}
	}
	return Forever
}

// Gap is the first stretch at or behind a sequence that is not for listeners; from
// is [Forever] if none is known of, until if it has no end yet.
func (v *Voice) Gap(sequence uint64) (from, until uint64) {
	for _, s := range v.Spans {
		if sequence >= s.From && sequence < s.Until {
			sequence = s.Until
		}
	}
	return sequence, v.Next(sequence)
}

// A Floor says what of a crowded stage is sent to listeners. Broadcasts that it
// does not name are, all of them; so an empty one says nothing.
type Floor struct{ Voices []Voice }

// Voice is what it says of a broadcast, nil if that is nothing.
func (f *Floor) Voice(name Path, publisher uint64) *Voice {
	if f == nil {
		return nil
	}
	for i := range f.Voices {
		if v := &f.Voices[i]; v.Name == name && v.Publisher == publisher {
			return v
		}
	}
	return nil
}

// Append writes the floor after b:
//
//	FLOOR {
//	  Voice { Name (s), Publisher (i), Spans (i), Span { From (i), Length (i) } ... } ...,
//	}
//
// From counts from where the span before it ended, and a length of 0 is a span that
// has not ended.
func (f *Floor) Append(b []byte) []byte {
	for _, v := range f.Voices {
		b = appendSized(b, []byte(v.Name))
		b = appendVarint(b, v.Publisher)
		b = appendVarint(b, uint64(len(v.Spans)))
		end := uint64(0)
		for _, s := range v.Spans {
			b = appendVarint(b, s.From-end)
			length := s.Until - s.From
			if s.Until == Forever {
				length = 0
			}
			b = appendVarint(b, length)
			end = s.Until
		}
	}
	return b
}

// ParseFloor reads a floor that is all of b.
func ParseFloor(b []byte) (*Floor, error) {
	c := cursor{rest: b, short: ErrShort}
	f := new(Floor)
	for c.err == nil && len(c.rest) > 0 {
		v := Voice{Name: c.path(), Publisher: c.varint()}
		n := c.varint()
		if n > MaxSpans || len(f.Voices) == MaxVoices {
			c.fail(fmt.Errorf("%w: more than %d spans or %d voices", ErrMalformed, MaxSpans, MaxVoices))
		}
		end := uint64(0)
		for i := uint64(0); i < n && c.err == nil; i++ {
			s := Span{From: c.varint(), Until: Forever}
			if end == Forever || s.From > MaxVarint-min(end, MaxVarint) {
				c.fail(fmt.Errorf("%w: a span behind one without end", ErrMalformed))
				break
			}
			s.From += end
			if length := c.varint(); length > 0 {
				s.Until = s.From + length
			}
			end = s.Until
			v.Spans = append(v.Spans, s)
		}
		f.Voices = append(f.Voices, v)
	}
	if err := c.end(); err != nil {
		return nil, fmt.Errorf("floor: %w", err)
	}
	return f, nil
}

// String shows the floor to people.
func (f *Floor) String() string {
	var b strings.Builder
	for _, v := range f.Voices {
		fmt.Fprintf(&b, "%s", v.Name)
		for _, s := range v.Spans {
			if s.Until == Forever {
				fmt.Fprintf(&b, " %d-", s.From)
				continue
			}
			fmt.Fprintf(&b, " %d-%d", s.From, s.Until-1)
		}
		b.WriteString("; ")
	}
	return strings.TrimSuffix(b.String(), "; ")
}

// A Level is how loud a speaker is, as RFC 6464 §3 has it in one byte: the highest
// bit says that it is speech, the others are the level in dBov without its sign, 0
// as loud as can be and 127 silence.
type Level uint8

// NewLevel makes one.
func NewLevel(dB uint8, speech bool) Level {
	l := Level(min(dB, 127))
	if speech {
		l |= 0x80
	}
	return l
}

// DB is how many dB below full scale it is.
func (l Level) DB() uint8 { return uint8(l & 0x7f) }

// Speech reports whether the publisher takes it for speech.
func (l Level) Speech() bool { return l&0x80 != 0 }
