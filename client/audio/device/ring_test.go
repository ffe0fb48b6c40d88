package device

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The ring against the obvious slice.
func TestRing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 20).Draw(t, "size")
		r := newRing(size)
		var model []float32
		next := float32(0)
		fresh := func() []float32 {
			pcm := make([]float32, rapid.IntRange(0, 30).Draw(t, "samples"))
			for i := range pcm {
				next++
				pcm[i] = next
			}
			return pcm
		}
		closed := errors.New("closed")
		shut := false
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				pcm := fresh()
				want := min(len(pcm), size-len(model))
				if n := r.put(pcm); n != want {
					t.Fatalf("put took %d of %d, want %d", n, len(pcm), want)
				}
				model = append(model, pcm[:want]...)
			},
			"push": func(t *rapid.T) {
				pcm := fresh()
				model = append(model, pcm...)
				want := max(0, len(model)-size)
				if lost := r.push(pcm); lost != want {
					t.Fatalf("push lost %d, want %d", lost, want)
				}
				model = model[want:]
			},
			"take": func(t *rapid.T) {
				dst := make([]float32, rapid.IntRange(0, 30).Draw(t, "room"))
				n, err := r.take(dst)
				want := min(len(dst), len(model))
				if n != want || !slices.Equal(dst[:n], model[:want]) {
					t.Fatalf("took %v, want %v", dst[:n], model[:want])
				}
				if (err != nil) != (shut && n == 0) {
					t.Fatalf("closed %v, took %d: %v", shut, n, err)
				}
				model = model[n:]
			},
			"close": func(t *rapid.T) {
				r.close(closed)
				r.close(errors.New("later"))
				shut = true
			},
			"": func(t *rapid.T) {
				held, err := r.state()
				if held != len(model) || (err != nil) != shut || shut && !errors.Is(err, closed) {
					t.Fatalf("holds %d, %v; want %d, closed %v", held, err, len(model), shut)
				}
			},
		})
	})
}
