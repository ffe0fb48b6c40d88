package hop

import (
	"slices"
	"testing"
	"time"
)

func TestSpread(t *testing.T) {
	for _, tt := range []struct {
		name      string
		at, loads map[string]int
		want      []Spot
		spread    float64
	}{
		{"nobody", nil, map[string]int{"b": 1, "a": 0}, []Spot{{"a", 0, 0, 0}, {"b", 0, 0, 1}}, 0},
		{"even", map[string]int{"a": 10, "b": 10}, map[string]int{"a": 5, "b": 5}, []Spot{{"a", 10, 0, 5}, {"b", 10, 0, 5}}, 1},
		{"one has none", map[string]int{"a": 30, "b": 10}, map[string]int{"a": 5, "b": 5, "c": 0}, []Spot{{"a", 30, 0, 5}, {"b", 10, 0, 5}, {"c", 0, 0, 0}}, 1.5},
		{"one is gone", map[string]int{"a": 1, "z": 2}, map[string]int{"a": 5}, []Spot{{"a", 1, 0, 5}, {"z", 2, 0, 0}}, 1.33},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := spotsOf(tt.at, map[string]int{}, tt.loads)
			if !slices.Equal(got, tt.want) || spreadOf(got) != tt.spread {
				t.Errorf("%v, spread %v", got, spreadOf(got))
			}
		})
	}
}

func TestStandbys(t *testing.T) {
	got := spotsOf(map[string]int{"a": 3, "b": 1}, map[string]int{"a": 1, "b": 3}, map[string]int{"a": 7})
	if want := []Spot{{"a", 3, 1, 7}, {"b", 1, 3, 0}}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

func TestUsageSince(t *testing.T) {
	relays := func(b *Busy) *float64 { return &b.Relays }
	network := func(b *Busy) *float64 { return &b.Network }
	start := time.Unix(100, 0)
	before := usage{at: start, all: time.Minute, used: map[int]time.Duration{1: time.Second, 2: time.Second, 3: 0}}
	now := usage{
		at:   start.Add(4 * time.Second),
		all:  time.Minute + 6*time.Second,
		used: map[int]time.Duration{1: 2 * time.Second, 2: 3 * time.Second, 4: time.Hour},
		part: map[int]func(*Busy) *float64{1: relays, 2: network, 4: relays},
	}
	if got, want := now.since(before), (Busy{Relays: 0.25, Network: 0.5, All: 1.5}); got != want {
		t.Errorf("%+v, want %+v: who ended or began meanwhile does not count", got, want)
	}
	if got := before.since(before); got != (Busy{}) {
		t.Errorf("in no time: %+v", got)
	}
}
