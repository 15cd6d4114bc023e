package h1

// quietness is what can be seen on a connection without reading from it.
type quietness uint8

const (
	quiet  quietness = iota // open, and nothing has come
	talks                   // something can be read
	hungUp                  // the other side has closed it, or it broke
)
