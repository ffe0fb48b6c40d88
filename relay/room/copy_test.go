package room

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// press is a source of groups that come frame by frame.
type press struct {
	studio
	fetch func(ctx context.Context, each func(protocol.Frame) error) error // nil refuses
}

func (p *press) Fetch(ctx context.Context, _ string, _ uint64, each func(protocol.Frame) error) error {
	if p.fetch == nil {
		return errAborted
	}
	return p.fetch(ctx, each)
}

func letter(i int) protocol.Frame { return protocol.Frame{Payload: []byte{byte('a' + i)}} }

// bring appends letters from..to-1.
func bring(t *testing.T, c *Copy, from, to int) {
	t.Helper()
	if c == nil {
		t.Fatal("the copy is not wanted")
	}
	for i := from; i < to; i++ {
		if err := c.Append(letter(i)); err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
	}
}

// read returns a group's frames and how it ended, once it has.
func read(g *Group) <-chan string {
	out := make(chan string, 1)
	go func() {
		s := ""
		for i := 0; ; i++ {
			f, err := g.Frame(context.Background(), i)
			if err != nil {
				out <- s + " " + err.Error()
				return
			}
			s += string(f.Payload)
		}
	}()
	return out
}

// newspaper is a track with members, taken from two presses.
func newspaper(t *testing.T) (red, blue *press, tr *Track, g *guest) {
	o := newOrigin(t)
	red, blue = new(press), new(press)
	b := publish(t, o, "town/ada", red, 7, 8).Broadcast
	publish(t, o, "town/ada", blue, 7, 9, 10)
	g, _, tr = join(t, b, "chat", protocol.Delivery{})
	return red, blue, tr, g
}

// Whichever source dies in the middle of a group, its frames come once and in
// order from the other.
func TestCopiesOfAGroupMakeOne(t *testing.T) {
	for _, tt := range []struct {
		name string
		play func(t *testing.T, red, blue *Copy)
		want string
	}{
		{"both bring all", func(t *testing.T, red, blue *Copy) {
			for i := range 5 {
				bring(t, red, i, i+1)
				bring(t, blue, i, i+1)
			}
			red.End()
			if err := blue.Append(letter(5)); !errors.Is(err, ErrComplete) {
				t.Errorf("behind the end: %v", err)
			}
			blue.End()
		}, "abcde EOF"},
		{"the one ahead dies", func(t *testing.T, red, blue *Copy) {
			bring(t, red, 0, 3)
			bring(t, blue, 0, 1)
			red.Break(errAborted)
			bring(t, blue, 1, 5)
			blue.End()
		}, "abcde EOF"},
		{"the one behind dies", func(t *testing.T, red, blue *Copy) {
			bring(t, red, 0, 3)
			bring(t, blue, 0, 1)
			blue.Break(errAborted)
			bring(t, red, 3, 5)
			red.End()
		}, "abcde EOF"},
		{"the one ahead is silent", func(t *testing.T, red, blue *Copy) {
			bring(t, red, 0, 3)
			bring(t, blue, 0, 5)
			blue.End()
		}, "abcde EOF"},
		{"they take turns", func(t *testing.T, red, blue *Copy) {
			bring(t, red, 0, 2)
			bring(t, blue, 0, 4)
			bring(t, red, 2, 5)
			bring(t, blue, 4, 5)
			blue.End()
		}, "abcde EOF"},
		{"one ends early", func(t *testing.T, red, blue *Copy) {
			bring(t, red, 0, 3)
			bring(t, blue, 0, 2)
			blue.End() // what red has brought cannot be taken back
			bring(t, red, 3, 5)
			red.End()
		}, "abcde EOF"},
		{"both die, and nobody has the rest", func(t *testing.T, red, blue *Copy) {
			bring(t, red, 0, 3)
			red.Break(errAborted)
			blue.Break(errAborted)
		}, "abc aborted"},
		{"one is too large", func(t *testing.T, red, blue *Copy) {
			bring(t, red, 0, 2)
			blue.Cut(ErrTooLarge)
		}, "ab " + ErrTooLarge.Error()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, _, tr, heard := newspaper(t)
				red, blue := tr.Grow(4, time.Now()), tr.Grow(4, time.Now())
				got := read(tr.group(4))
				tt.play(t, red, blue)
				if got := <-got; got != tt.want {
					t.Errorf("read %q, want %q", got, tt.want)
				}
				if got := heard.heard(); got != "[4]" {
					t.Errorf("groups %s, want [4]", got)
				}
			})
		})
	}
}

func TestCompleteGroupTakesNoFurtherCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, tr, _ := newspaper(t)
		c := tr.Grow(4, time.Now())
		bring(t, c, 0, 1)
		c.End()
		tr.Write(NewWhole(5, protocol.Frame{}, time.Now()))
		for _, sequence := range []uint64{4, 5, protocol.MaxInteger + 1} {
			if tr.Grow(sequence, time.Now()) != nil {
				t.Errorf("another copy of group %d is taken", sequence)
			}
		}
		if c := tr.Counts(); c.Groups != 2 || c.Duplicates != 2 {
			t.Errorf("%+v", c)
		}
	})
}

// A group whose copies have all broken is fetched from whoever has it.
func TestBrokenGroupIsFetched(t *testing.T) {
	serve := func(frames int, end error) func(context.Context, func(protocol.Frame) error) error {
		return func(_ context.Context, each func(protocol.Frame) error) error {
			for i := range frames {
				if err := each(letter(i)); err != nil {
					return err
				}
			}
			return end
		}
	}
	hang := func(ctx context.Context, _ func(protocol.Frame) error) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	for _, tt := range []struct {
		name      string
		red, blue func(context.Context, func(protocol.Frame) error) error
		want      string
		within    time.Duration
	}{
		{"at the first", serve(5, nil), nil, "abcde EOF", 0},
		{"at the second", nil, serve(5, nil), "abcde EOF", 0},
		{"the first has no more than we", serve(3, errAborted), serve(5, nil), "abcde EOF", 0},
		{"the first does not answer", hang, serve(5, nil), "abcde EOF", repairFor},
		{"nowhere", nil, nil, "abc broken", 0},
		{"nobody answers", hang, hang, "abc broken", 2 * repairFor},
		{"part of it", serve(4, errAborted), serve(2, errAborted), "abcd broken", 0},
		{"at its end already", serve(3, nil), nil, "abc EOF", 0},
		{"too much of it", serve(maxGroupFrames+1, nil), nil, "too large", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				red, blue, tr, _ := newspaper(t)
				red.fetch, blue.fetch = tt.red, tt.blue
				c := tr.Grow(4, time.Now())
				bring(t, c, 0, 3)
				got := read(tr.group(4))
				began := time.Now()
				c.Break(errors.New("broken"))
				switch got := <-got; {
				case tt.want == "too large":
					if len(got) < maxGroupFrames {
						t.Errorf("read %d bytes", len(got))
					}
				case got != tt.want:
					t.Errorf("read %q, want %q", got, tt.want)
				}
				if took := time.Since(began); took != tt.within {
					t.Errorf("took %v, want %v", took, tt.within)
				}
			})
		})
	}
}

// A source that lets a fetched group hang holds nobody for long, and one that
// breaks many groups gets no more than a few fetched.
func TestBrokenGroupsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		red, _, tr, _ := newspaper(t)
		var fetching atomic.Int32
		red.fetch = func(ctx context.Context, each func(protocol.Frame) error) error {
			fetching.Add(1)
			_, _, _ = each(letter(0)), each(letter(1)), each(letter(2))
			<-ctx.Done()
			return context.Cause(ctx)
		}
		var ends []<-chan string
		for sequence := range uint64(maxResumed + 3) {
			c := tr.Grow(sequence, time.Now())
			bring(t, c, 0, 1)
			ends = append(ends, read(tr.group(sequence)))
			c.Break(errors.New("broken"))
			synctest.Wait()
		}
		if n := fetching.Load(); n != maxResumed {
			t.Errorf("%d groups are fetched at a time", n)
		}
		began, results := time.Now(), map[string]int{}
		for _, end := range ends {
			results[<-end]++
		}
		if want := fmt.Sprint(map[string]int{"a broken": 3, "abc broken": maxResumed}); fmt.Sprint(results) != want {
			t.Errorf("%v, want %s", results, want)
		}
		// Once with something new, once without.
		if took := time.Since(began); took != 2*resumeIdle {
			t.Errorf("took %v", took)
		}
	})
}

// A feed that begins while a group grows brings that group as well.
func TestFeedBeginsWithTheGroupThatGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		red, _, tr, _ := newspaper(t)
		c := tr.Grow(4, time.Now())
		bring(t, c, 0, 1)
		red.feeds[0].end(io.ErrUnexpectedEOF)
		time.Sleep(feedRetryMin)
		synctest.Wait()
		if d := red.asked[len(red.asked)-1]; d.Start != protocol.Seq(4) {
			t.Errorf("asked from %+v, want 4", d.Start)
		}
		c.End()
		red.feeds[len(red.feeds)-1].end(io.ErrUnexpectedEOF)
		time.Sleep(2 * feedRetryMin)
		synctest.Wait()
		if d := red.asked[len(red.asked)-1]; d.Start != protocol.Seq(5) {
			t.Errorf("asked from %+v, want 5", d.Start)
		}
	})
}
