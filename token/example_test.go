package token_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/token"
)

// Ada may speak in the town hall and hear everybody there, for an hour.
func Example() {
	key, err := token.Generate("ES256", "office", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Now()
	jwt, err := token.Sign(key, token.Claims{
		Scope: token.Scope{
			Root: "town-hall",
			Put:  []protocol.Path{"ada"},
			Get:  []protocol.Path{""},
		},
		Expires: now.Add(time.Hour),
		Role:    token.RoleSpeaker,
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	// A relay knows only the public half.
	public, err := key.Public()
	if err != nil {
		fmt.Println(err)
		return
	}
	keys, err := token.NewKeys(public)
	if err != nil {
		fmt.Println(err)
		return
	}
	grant, err := keys.Verify(jwt, "/town-hall", now)
	fmt.Println(err, grant.Role, grant.MayPublish("ada"), grant.MayPublish("bob"), grant.MaySubscribe("bob"))

	_, err = keys.Verify(jwt, "/town-hall", now.Add(2*time.Hour))
	fmt.Println(errors.Is(err, token.ErrExpired))
	// Output:
	// <nil> speaker true false true
	// true
}
