package hop

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A Deaf listener has heard nothing.
type Deaf struct {
	Listener int    `json:"listener"` // from 1
	First    string `json:"first"`    // the relay that it asked or tried first
	Relay    string `json:"relay"`    // that it is with
	Standby  string `json:"standby,omitempty"`
	Error    string `json:"error,omitempty"` // of its newest attempt
}

// silent says who hears nothing, and what the relays say to it that these tried
// first. Those are ended for it: their last words are in their logs.
func (r *run) silent(ctx context.Context, report Report) error {
	var b strings.Builder
	var suspects []string
	for _, d := range report.DeafOnes {
		fmt.Fprintf(&b, "\n  listener %d, first at %s, now at %q, standby %q: %s", d.Listener, d.First, d.Relay, d.Standby, d.Error)
		if !slices.Contains(suspects, d.First) {
			suspects = append(suspects, d.First)
		}
	}
	for _, relay := range r.relays {
		if !slices.Contains(suspects, relay.url) || relay.child == nil {
			continue
		}
		for _, path := range []string{"/v1/tree?room=" + url.QueryEscape(Room), "/v1/members"} {
			fmt.Fprintf(&b, "\n  %s %s: %s", relay.name, path, relay.quote(ctx, path))
		}
		child := relay.child
		relay.close()
		fmt.Fprintf(&b, "\n  %s %s", relay.name, child.Err())
		relay.child = nil
	}
	return fmt.Errorf("%w by %d listeners of %d%s%s", ErrSilence, report.Deaf, r.o.Listeners, because(report), &b)
}

// quote is the relay's answer, or why there is none.
func (r *relay) quote(ctx context.Context, path string) string {
	const most = 4000
	var answer json.RawMessage
	if err := r.ask(ctx, http.MethodGet, path, "", &answer); err != nil {
		return err.Error()
	}
	return string(answer[:min(len(answer), most)])
}
