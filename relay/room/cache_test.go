package room

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stentor-audio/stentor/protocol"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func wholeAt(sequence uint64, at time.Duration) *Group {
	return NewWhole(sequence, protocol.Frame{Timestamp: sequence, Payload: []byte{byte(sequence)}}, epoch.Add(at))
}

func sequences(groups []*Group) []uint64 {
	out := []uint64{}
	for _, g := range groups {
		out = append(out, g.Sequence)
	}
	return out
}

func TestCacheKeepsWhatItShould(t *testing.T) {
	const ms = time.Millisecond
	type came struct {
		sequence uint64
		at       time.Duration
		want     verdict
	}
	tests := []struct {
		name  string
		came  []came
		start protocol.OptSeq
		held  string
	}{
		{"nothing", nil, protocol.Seq(0), "[]"},
		{"the newest for who names no start", []came{{1, 0, accepted}, {2, 20 * ms, accepted}}, protocol.OptSeq{}, "[2]"},
		{"from a start on", []came{{1, 0, accepted}, {2, 20 * ms, accepted}, {3, 40 * ms, accepted}}, protocol.Seq(2), "[2 3]"},
		{"a start not yet there", []came{{1, 0, accepted}}, protocol.Seq(2), "[]"},
		{"first copy wins", []came{{1, 0, accepted}, {1, 5 * ms, duplicate}}, protocol.Seq(0), "[1]"},
		{"a hole is filled late", []came{{1, 0, accepted}, {3, 40 * ms, accepted}, {2, 60 * ms, accepted}}, protocol.Seq(1), "[1 2 3]"},
		{"old ones go", []came{{1, 0, accepted}, {2, 5100 * ms, accepted}}, protocol.Seq(0), "[2]"},
		{"gone means too late", []came{{1, 0, accepted}, {2, 5100 * ms, accepted}, {1, 5101 * ms, tooOld}}, protocol.Seq(0), "[2]"},
		{"never seen but below the floor", []came{{5, 0, accepted}, {6, 5100 * ms, accepted}, {3, 5101 * ms, tooOld}}, protocol.Seq(0), "[6]"},
		{"the newest stays however old", []came{{9, 0, accepted}, {4, 60000 * ms, accepted}, {5, 120000 * ms, accepted}}, protocol.Seq(0), "[5 9]"},
		{"a jump of 2^40", []came{{1, 0, accepted}, {1 << 40, 20 * ms, accepted}, {2, 40 * ms, accepted}}, protocol.Seq(0), "[1 2 1099511627776]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := cache{keep: 5 * time.Second, maxGroups: maxGroups, maxBytes: maxBytes}
			for _, in := range tt.came {
				if got := c.insert(wholeAt(in.sequence, in.at)); got != in.want {
					t.Errorf("insert(%d) = %d, want %d", in.sequence, got, in.want)
				}
			}
			if got := fmt.Sprint(sequences(c.from(tt.start))); got != tt.held {
				t.Errorf("held %s, want %s", got, tt.held)
			}
		})
	}
}

// TestCacheIsBounded throws anything at a cache: it never holds more than it may
// (and the newest), never loses the newest, and counts its bytes right.
func TestCacheIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := cache{keep: time.Second, maxGroups: 8, maxBytes: 1000}
		now := time.Duration(0)
		newest := uint64(0)
		for range rapid.IntRange(1, 200).Draw(t, "groups") {
			now += time.Duration(rapid.IntRange(0, 400).Draw(t, "ms")) * time.Millisecond
			sequence := rapid.OneOf(rapid.Uint64Range(0, 20), rapid.Uint64Range(0, 1<<50)).Draw(t, "sequence")
			var g *Group
			if rapid.Bool().Draw(t, "whole") {
				g = NewWhole(sequence, protocol.Frame{Payload: make([]byte, rapid.IntRange(0, 400).Draw(t, "size"))}, epoch.Add(now))
			} else {
				g = NewGroup(sequence, epoch.Add(now))
			}
			if c.insert(g) == accepted {
				newest = max(newest, sequence)
			}
			if !g.whole {
				g.Append(protocol.Frame{Payload: make([]byte, rapid.IntRange(0, 400).Draw(t, "frame"))})
			}
			held := c.order[c.first:]
			var bytes int64
			for _, h := range held {
				bytes += int64(h.size + len(h.tail))
			}
			if bytes != c.bytes.Load() {
				t.Fatalf("counts %d bytes, holds %d", c.bytes.Load(), bytes)
			}
			if len(held) > c.maxGroups+1 || len(c.groups) > len(held) {
				t.Fatalf("holds %d groups, %d by sequence", len(held), len(c.groups))
			}
			if c.groups[newest] == nil {
				t.Fatalf("lost the newest group, %d", newest)
			}
		}
	})
}

func TestCutGroupIsReplacedByAWholeOne(t *testing.T) {
	c := cache{keep: time.Second, maxGroups: 8, maxBytes: 1000}
	g := NewGroup(3, epoch)
	c.insert(g)
	if got := c.insert(NewGroup(3, epoch)); got != duplicate {
		t.Errorf("a copy while the first runs: %d, want duplicate", got)
	}
	g.End(errAborted)
	if got := c.insert(NewGroup(3, epoch)); got != accepted {
		t.Errorf("a copy after the first was cut: %d, want accepted", got)
	}
}
