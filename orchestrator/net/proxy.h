/* Which proxy a URL goes through, by the environment variables that curl made customary. */
#ifndef DRCTL_NET_PROXY_H
#define DRCTL_NET_PROXY_H

/* The proxy's URL as the environment gives it, or NULL for a direct connection. scheme is "http" or
 * "https", host without brackets. As in curl, HTTP_PROXY in capitals is not heeded (a CGI program
 * would let its client set it); the other variables are, in small letters first. Borrowed. */
const char *proxy_for(const char *scheme, const char *host, char *const *environment);

#endif
