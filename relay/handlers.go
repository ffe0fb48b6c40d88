package relay

import (
	"fmt"
	"net"
	"net/http"
	"sort"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay/api"
)

// view is the relay as its public HTTP shows it.
type view struct{ *Relay }

func (r *Relay) public() http.Handler { return api.Public(view{r}) }

func (r *Relay) adminHandler() http.Handler {
	return api.Admin(r.metrics.registry, view{r})
}

// advertiseH3 tells browsers that the same port speaks HTTP/3.
func (r *Relay) advertiseH3(h http.Handler) http.Handler {
	port := r.udp.LocalAddr().(*net.UDPAddr).Port
	value := fmt.Sprintf(`h3=":%d"; ma=86400`, port)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Alt-Svc", value)
		h.ServeHTTP(w, req)
	})
}

func (v view) TakesNewcomers() bool { return v.State() == Ready && !v.full() }

func (v view) Lobby(room string, q api.LobbyQuery) api.Lobby { return v.lobby(room, q) }

func (v view) Self() api.Member {
	load := min(100, int(v.load()))
	return api.Member{
		Name:               v.cfg.Name,
		URL:                v.URL(),
		Zone:               v.cfg.Zone,
		CertificateSHA256:  v.CertificateSHA256(),
		CertificatesSHA256: v.certificates.Known(),
		Load:               load,
		Packet:             packetFor(load),
	}
}

// Rooms groups the live broadcasts, ROOM/SPEAKER, by room.
func (v view) Rooms() []api.Room {
	rooms := make(map[string]*api.Room)
	for _, b := range v.origin.Broadcasts("") {
		segments := b.Path.Segments()
		name := segments[0]
		speaker, _ := b.Path.TrimPrefix(protocol.Path(name))
		r := rooms[name]
		if r == nil {
			r = &api.Room{Room: name, State: "live"}
			rooms[name] = r
		}
		s := api.Speaker{Name: string(speaker), Tracks: []string{}}
		listeners := 0
		for _, t := range b.Tracks() {
			s.Tracks = append(s.Tracks, t.Name)
			if protocol.IsAudioTrack(t.Name) {
				listeners += t.Listeners()
			}
		}
		sort.Strings(s.Tracks)
		// Who listens to a room listens to its speakers: the most wanted one
		// says how many they are.
		r.Listeners = max(r.Listeners, listeners)
		r.Speakers = append(r.Speakers, s)
	}
	out := make([]api.Room, 0, len(rooms))
	for _, r := range rooms {
		out = append(out, *r)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Room < out[j].Room })
	return out
}
