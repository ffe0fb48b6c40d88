package hop

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestStalls(t *testing.T) {
	var s stalls
	at := func(ms int) time.Time { return time.UnixMilli(int64(ms)) }
	s.look(at(100), at(105))
	s.look(at(105), at(119)) // not long enough
	s.look(at(119), at(149))
	s.look(at(200), at(220))
	for _, tt := range []struct{ from, to, want int64 }{
		{0, 119, 0}, {0, 120, 30}, {148, 200, 30}, {149, 200, 0}, {149, 201, 20}, {0, 1000, 30}, {220, 1000, 0},
	} {
		if got := s.longest(1000*tt.from, 1000*tt.to); got != tt.want {
			t.Errorf("from %d to %d ms: %d, want %d", tt.from, tt.to, got, tt.want)
		}
	}
	for range maxStalls + 5 {
		s.look(at(1000), at(1100))
	}
	if len(s.all) != maxStalls || s.longest(0, 1000) != 0 {
		t.Errorf("%d are kept, and the oldest, too", len(s.all))
	}
}

func TestNoStallWhereTimeIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s stalls
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		s.watch(ctx)
		if len(s.all) != 0 {
			t.Errorf("%v", s.all)
		}
	})
}
