package playout

import (
	"slices"
	"testing"
	"time"
)

// speak pushes packets from to until-1 as they are spoken, and takes out what is due.
func speakThrough(b *Buffer, from, until uint64, played *[]uint64) {
	for seq := from; seq < until; seq++ {
		at := time.Duration(seq) * Frame
		b.Push(seq, micros(at), packetOf(seq), at)
		if slot := b.Pop(at); slot.Kind == Play {
			*played = append(*played, slot.Sequence)
		}
	}
}

func TestWhatIsLeftOutIsNotLost(t *testing.T) {
	for _, tt := range []struct {
		name        string
		resume      uint64 // the first that comes again
		from, until uint64 // what is said of the gap
	}{
		{"a short gap", 36, 30, 36},
		{"one that has no end yet", 36, 30, 1<<64 - 1},
		{"one that ends before what comes", 38, 30, 36},
		{"one that ends behind it", 36, 30, 60},
		{"one that no window holds", 6000, 30, 6000},
		{"nor any two, without an end", 6000, 30, 1<<64 - 1},
		{"as long as the window", 30 + 256, 30, 30 + 256},
		{"one less", 30 + 255, 30, 30 + 255},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := NewBuffer(Config{})
			var played []uint64
			speakThrough(b, 0, 24, &played)
			b.LeaveOut(tt.from, tt.until)
			speakThrough(b, 24, 30, &played)
			if _, _, ok := b.ExpectedBy(); ok {
				t.Error("something is expected in the gap")
			}
			end := time.Duration(tt.resume+50) * Frame
			for at := 30 * Frame; at < time.Duration(tt.resume)*Frame; at += Frame {
				if slot := b.Pop(at); slot.Kind == Play {
					played = append(played, slot.Sequence)
				} else if slot.Kind == Lost {
					t.Fatalf("lost %d", slot.Sequence)
				}
			}
			speakThrough(b, tt.resume, tt.resume+50, &played)
			holes := b.Holes(end, 0, nil)
			for at := end; at < end+time.Second; at += Frame {
				if slot := b.Pop(at); slot.Kind == Play {
					played = append(played, slot.Sequence)
				}
			}
			lost := uint64(0)
			if tt.until < tt.resume {
				lost = tt.resume - tt.until
			}
			st := b.Stats()
			if st.Played != 80 || st.Lost != lost || st.Late+st.Refused+st.Duplicate != 0 || st.Last != tt.resume+49 {
				t.Errorf("%+v, want 80 played and %d lost", st, lost)
			}
			if len(holes) != 0 && lost == 0 {
				t.Errorf("holes %v", holes)
			}
			if !slices.IsSorted(played) || len(played) != 80 {
				t.Errorf("played %v", played)
			}
		})
	}
}

// Both sides of a short gap may wait at the same time, and what is lost beside it is
// lost and asked for.
func TestGapBetweenWhatWaits(t *testing.T) {
	push := func(b interface {
		Push(uint64, uint64, []byte, time.Duration) Outcome
	}) {
		for _, seq := range []uint64{0, 1, 2, 4, 12, 13} { // 3 is lost, 5 to 11 are left out
			b.Push(seq, micros(time.Duration(seq)*Frame), packetOf(seq), time.Duration(seq)*Frame)
		}
	}
	b := NewBuffer(Config{})
	b.LeaveOut(5, 12)
	push(b)
	if got := b.Holes(12*Frame, 0, nil); !slices.Equal(got, []uint64{3}) {
		t.Errorf("holes %v, want 3", got)
	}
	s := NewSequencer(Config{})
	s.LeaveOut(5, 12)
	push(s)
	var got []uint64
	for {
		slot, ok := s.Next(time.Minute)
		if !ok {
			break
		}
		got = append(got, slot.Sequence)
	}
	if want := []uint64{0, 1, 2, 3, 4, 12, 13}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if st := s.Stats(); st.Lost != 1 || st.Played != 6 || st.Expected != 7 {
		t.Errorf("%+v", st)
	}
}

func TestGapIsTakenBack(t *testing.T) {
	b := NewBuffer(Config{})
	var played []uint64
	speakThrough(b, 0, 10, &played)
	b.LeaveOut(10, 1<<64-1)
	b.LeaveOut(1<<64-1, 1<<64-1) // it goes on after all
	speakThrough(b, 12, 13, &played)
	if got := b.Holes(15*Frame, 0, nil); !slices.Equal(got, []uint64{10, 11}) {
		t.Errorf("holes %v, want 10 and 11", got)
	}
}
