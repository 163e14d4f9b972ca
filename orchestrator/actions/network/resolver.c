/* One way to ask for names, for dns.verify and http.check alike. */
#include "network/resolver.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "network/net_session.h"

void texts_add(struct texts *texts, const char *text)
{
    vector_push(&texts->list, memory_text(text));
}

void texts_add_separated(struct texts *texts, const char *list)
{
    static const char separators[] = ", ";
    for (list += strspn(list, separators); *list != '\0'; list += strspn(list, separators)) {
        size_t size_bytes = strcspn(list, separators);
        CLEANUP(memory_cleanup) char *item = memory_text_n(list, size_bytes);
        texts_add(texts, item);
        list += size_bytes;
    }
}

const char *const *texts_close(struct texts *texts)
{
    vector_push(&texts->list, NULL);
    texts->list.count--;
    return (const char *const *)texts->list.items;
}

void texts_release(struct texts *texts)
{
    vector_each (char **, text, &texts->list) {
        free(*text);
    }
    vector_release(&texts->list);
}

int resolver_ask(struct attempt *attempt, const char *name, const char *type, struct texts *values,
                 struct error *err)
{
    struct texts resolvers = {0};
    struct dns_replies replies;
    const char *given = attempt_getenv(attempt, "DRCTL_RESOLVER");
    texts_add_separated(&resolvers, given != NULL ? given : "");
    struct dns_question question = {
        .name = name,
        .type = type,
        .servers = resolvers.list.count != 0 ? texts_close(&resolvers) : NULL,
        .is_recursive = true,
        .timeout_ms = attempt_duration_ms(attempt, "request_timeout", 5000),
    };
    int status = net_ask_dns(attempt, &question, &replies, err);
    texts_release(&resolvers);
    if (status != 0) {
        return -1;
    }
    struct dns_reply *reply = &replies.list.items[0];
    const char **found;
    size_t count = dns_answer_values(&reply->answer, type, &found);
    for (size_t i = 0; i < count; i++) {
        texts_add(values, found[i]);
    }
    free(found);
    if (error_is_set(&reply->err)) {
        error_move(err, &reply->err);
        status = -1;
    }
    dns_replies_release(&replies);
    return status;
}

static bool is_address(const char *host)
{
    struct in6_addr address;
    return host[0] == '[' || inet_pton(AF_INET, host, &address) == 1 ||
           strcmp(host, "localhost") == 0;
}

int resolver_connect_to(struct attempt *attempt, const char *host, const char *port,
                        char **ret_connect_to, struct error *err)
{
    *ret_connect_to = NULL;
    if (attempt_getenv(attempt, "DRCTL_RESOLVER") == NULL || is_address(host)) {
        return 0;
    }
    struct texts addresses = {0};
    int status = resolver_ask(attempt, host, "A", &addresses, err);
    if (status == 0 && addresses.list.count == 0) {
        status = error_set(err, ERROR_NETWORK, "%s has no address", host);
    } else if (status == 0) {
        *ret_connect_to = memory_format("%s:%s", addresses.list.items[0], port);
    }
    texts_release(&addresses);
    return status;
}
