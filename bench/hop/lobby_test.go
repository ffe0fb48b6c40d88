package hop

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A door that says answers, one after the other, the last for ever.
func door(t *testing.T, zone string, answers ...string) (Door, *atomic.Int64) {
	t.Helper()
	asked := new(atomic.Int64)
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		n := int(asked.Add(1))
		if req.URL.Path != "/v1/rooms/town/relays" || req.URL.Query().Get("zone") != zone || req.URL.Query().Get("purpose") != toListen {
			t.Errorf("asked for %s", req.URL)
		}
		answer := answers[min(n, len(answers))-1]
		if answer == "" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = fmt.Fprint(w, answer)
	}))
	t.Cleanup(s.Close)
	return Door{URL: s.URL, Zone: zone}, asked
}

func TestFindRelays(t *testing.T) {
	const two = `{"relays":[{"name":"a","url":"https://a.example:4443/town"},{"name":"b","url":"https://b.example:4443/town"}]}`
	want := []string{"https://a.example:4443", "https://b.example:4443"}
	for _, tt := range []struct {
		name    string
		answers []string
		asked   int64
		failed  string
	}{
		{"at once", []string{two}, 1, ""},
		{"after a wait", []string{`{"relays":[],"retry_after_ms":5}`, two}, 2, "told to wait"},
		{"no answer of a lobby", []string{"", two}, 2, "503"},
		{"an answer without sense", []string{"<html>", two}, 2, "no answer of a lobby"},
		{"relays without sense", []string{`{"relays":[{"url":"a.example"},{"url":"://"}]}`, two}, 2, "told to wait"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, asked := door(t, "zone-2", tt.answers...)
			var said []string
			got, err := findRelays(t.Context(), []Door{d}, toListen, "town", 0, func(err error) { said = append(said, err.Error()) })
			if err != nil || !slices.Equal(got, want) || asked.Load() != tt.asked {
				t.Errorf("%v, %v after %d questions", got, err, asked.Load())
			}
			if !strings.Contains(strings.Join(said, "; "), tt.failed) || (tt.failed == "") != (len(said) == 0) {
				t.Errorf("said %q", said)
			}
		})
	}
	t.Run("the next door", func(t *testing.T) {
		d, _ := door(t, "", two)
		got, err := findRelays(t.Context(), []Door{{URL: "https://127.0.0.1:1"}, d}, toListen, "town", 0, func(error) {})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%v, %v", got, err)
		}
	})
	t.Run("given up", func(t *testing.T) {
		d, _ := door(t, "", `{"relays":[],"retry_after_ms":60000}`)
		ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer stop()
		if got, err := findRelays(ctx, []Door{d}, toListen, "town", 0, func(error) {}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, %v", got, err)
		}
	})
}
