package token

import "errors"

// Why a token was refused. Each of them is 401 or close code 6 to the peer;
// the text is for the operator's log and holds no key and no signature.
var (
	// ErrMissing says that there was no token where one is needed.
	ErrMissing = errors.New("token missing")

	// ErrMalformed says that the token is not a JWT, or that one of its claims
	// has the wrong type.
	ErrMalformed = errors.New("token malformed")

	// ErrUnknownKey says that none of the keys is meant for this token: no such
	// kid, or no kid where there are several keys to choose from.
	ErrUnknownKey = errors.New("token signed with an unknown key")

	// ErrAlgorithm says that the token asks for another algorithm than its
	// key's own. "none" is no key's own.
	ErrAlgorithm = errors.New("token algorithm is not the key's")

	// ErrSignature says that the signature does not fit the token.
	ErrSignature = errors.New("token signature is wrong")

	// ErrExpired says that exp has passed.
	ErrExpired = errors.New("token expired")

	// ErrNotYet says that nbf has not come.
	ErrNotYet = errors.New("token not valid yet")

	// ErrCeiling says that the token grants more than the scope of its key.
	ErrCeiling = errors.New("token grants more than its key may")

	// ErrNothing says that the token grants nothing on the session's path.
	ErrNothing = errors.New("token grants nothing here")
)

// ErrKey says that a key is unusable: not a JWK, of a kind or strength that is
// not supported, or without the part that the operation needs.
var ErrKey = errors.New("unusable key")
