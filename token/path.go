package token

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/stentor-audio/stentor/protocol"
)

// Split takes the token out of what a session was opened on, such as
// "/town-hall?jwt=eyJ…": the path of a WebTransport CONNECT or of a SETUP
// message. Escapes in the path are undone. An empty jwt is none; of several,
// the last counts. Other parts of the query are skipped.
func Split(target string) (path protocol.Path, jwt string, err error) {
	escaped, query, _ := strings.Cut(target, "?")
	text, err := url.PathUnescape(escaped)
	if err != nil {
		return "", "", fmt.Errorf("session path: %w", err)
	}
	if path, err = protocol.ParsePath(text); err != nil {
		return "", "", fmt.Errorf("session path: %w", err)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", "", fmt.Errorf("session query: %w", err)
	}
	if tokens := values["jwt"]; len(tokens) > 0 {
		jwt = tokens[len(tokens)-1]
	}
	return path, jwt, nil
}
