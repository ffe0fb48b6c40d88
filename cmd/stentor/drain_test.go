package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A relay is named, or its admin address is given; each is told to whom it is for.
func TestDrainSaysWhichRelay(t *testing.T) {
	var path, body string
	admin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var o order
		if err := json.NewDecoder(req.Body).Decode(&o); err != nil {
			t.Error(err)
		}
		path, body = req.URL.Path, o.Relay
		if o.Relay == "relay-9" {
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"error":{"code":"not_found","message":"no relay of the network is called \"relay-9\"; there are: relay-a"}}`))
			return
		}
		_, _ = w.Write([]byte(`{}`))
	}))
	defer admin.Close()
	for _, tt := range []struct {
		args, path, relay, fails string
	}{
		{"drain --admin ADMIN", "/v1/drain", "", ""},
		{"drain relay-b --admin ADMIN", "/v1/drain", "relay-b", ""},
		{"drain ADDRESS", "/v1/drain", "", ""},
		{"drain ADMIN", "/v1/drain", "", ""},
		{"undrain relay-b --admin ADMIN", "/v1/undrain", "relay-b", ""},
		{"undrain ADDRESS", "/v1/undrain", "", ""},
		{"drain relay-9 --admin ADMIN", "/v1/drain", "relay-9", "there are: relay-a"},
		{"drain relay-a relay-b --admin ADMIN", "", "", "one relay at a time"},
	} {
		path, body = "", ""
		args := strings.NewReplacer("ADMIN", admin.URL, "ADDRESS", strings.TrimPrefix(admin.URL, "http://")).Replace("stentor " + tt.args)
		a := app()
		err := a.Run(permute(a, strings.Fields(args)))
		if tt.fails == "" && err != nil || tt.fails != "" && (err == nil || !strings.Contains(err.Error(), tt.fails)) {
			t.Errorf("%s: %v", tt.args, err)
		}
		if path != tt.path || body != tt.relay {
			t.Errorf("%s: %s for relay %q, want %s for %q", tt.args, path, body, tt.path, tt.relay)
		}
	}
}
