package relay

import (
	"fmt"
	"net"
	"net/http"

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

func (v view) Open() bool { return v.cfg.Open }

func (v view) Lobby(room string, q api.LobbyQuery) api.Lobby {
	answer := v.lobby(room, q)
	answer.Starts = v.startsOf(room)
	return answer
}

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
