package relay_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/relay"
	"github.com/stentor-audio/stentor/relay/api"
)

// refused sends a command that is not done, and returns what m says to it.
func (m *member) refused(path, body string) (status int, e api.Error) {
	m.t.Helper()
	req, err := http.NewRequestWithContext(within(m.t), http.MethodPost, "http://"+m.AdminAddr().String()+path, strings.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		m.t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	answer := map[string]api.Error{}
	if err := json.Unmarshal(b, &answer); err != nil {
		m.t.Fatalf("%s: %v", b, err)
	}
	return resp.StatusCode, answer["error"]
}

// Any relay passes a drain on to the one that is named.
func TestDrainByName(t *testing.T) {
	relays := network(t, 3)
	var left []chan string
	for range 3 {
		left = append(left, follower(t, relays[1].URL()))
	}
	var d api.Drained
	if status := relays[0].admin("POST", "/v1/drain", `{"relay":"relay-1","deadline_ms":15000}`, &d); status != 200 {
		t.Fatalf("status %d", status)
	}
	if d.Moved != 3 || d.Closed != 0 || d.FramesLost != 0 || d.TookMS == 0 {
		t.Errorf("%+v", d)
	}
	for _, l := range left {
		<-l
	}
	if relays[1].State().String() != "draining" || relays[0].State().String() != "ready" {
		t.Errorf("states: %v, asked %v", relays[1].State(), relays[0].State())
	}
	for _, tt := range []struct {
		at         int
		path, body string
		status     int
		want       []string
	}{
		{2, "/v1/drain", `{"relay":"relay-1"}`, 409, []string{"relay-1", "draining already"}},
		{2, "/v1/drain", `{"relay":"relay-9"}`, 404, []string{`"relay-9"`, "relay-0, relay-1, relay-2"}},
		{0, "/v1/undrain", `{"relay":"relay-2"}`, 409, []string{"relay-2", "does not drain"}},
		{0, "/v1/undrain", `{"relay":"relay-0"}`, 409, []string{"does not drain"}},
		{0, "/v1/undrain", `{"relay":"nobody"}`, 404, []string{`"nobody"`}},
	} {
		status, e := relays[tt.at].refused(tt.path, tt.body)
		if status != tt.status {
			t.Errorf("%s %s: %d %+v, want %d", tt.path, tt.body, status, e, tt.status)
		}
		for _, want := range tt.want {
			if !strings.Contains(e.Message, want) {
				t.Errorf("%s %s: %q lacks %q", tt.path, tt.body, e.Message, want)
			}
		}
	}
	var state struct{ State string }
	if status := relays[2].admin("POST", "/v1/undrain", `{"relay":"relay-1"}`, &state); status != 200 || state.State != "ready" {
		t.Errorf("undrain: %d %q", status, state.State)
	}
	dial(t, relays[1].URL(), client.Options{})
}

// A relay that stands alone knows nobody else.
func TestDrainByNameOfALoneRelay(t *testing.T) {
	r := join(t, relay.Config{Name: "solo"})
	status, e := r.refused("/v1/drain", `{"relay":"other"}`)
	if status != 404 || !strings.Contains(e.Message, "there are: solo") {
		t.Errorf("%d %+v", status, e)
	}
}
