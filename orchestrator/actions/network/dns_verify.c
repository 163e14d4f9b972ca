/* dns.verify: do the name servers of the zone give the new answer? They are asked themselves, each
 * one, past every cache: Route 53's INSYNC says nothing about what is really served, and a resolver
 * may repeat the old answer for as long as its TTL says.
 *
 * Whom to ask: `servers`, or those that the zone's NS records name. Where DRCTL_RESOLVER stands in
 * for the system's resolver, it is asked for their addresses, and they are asked at its port; when
 * none of them can be reached from here, the resolver has to do. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "actions/action.h"
#include "base/clock.h"
#include "base/json.h"
#include "network/net_session.h"
#include "network/resolver.h"

static const struct parameter parameters[] = {
    {.name = "name", .type = VALUE_STRING, .required = true, .exposed = true, .doc = "The name"},
    {.name = "type",
     .type = VALUE_CHOICE,
     .default_json = "\"A\"",
     .choices =
         (const char *const[]){"A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SRV", "TXT", NULL},
     .doc = "The record type"},
    {.name = "zone",
     .type = VALUE_STRING,
     .exposed = true,
     .doc = "The zone whose name servers are asked; otherwise the nearest one above the name"},
    {.name = "servers",
     .type = VALUE_STRINGS,
     .exposed = true,
     .doc = "Whom to ask instead, HOST or HOST:PORT"},
    {.name = "expect",
     .type = VALUE_STRINGS,
     .exposed = true,
     .doc = "The values, all of them and no others"},
    {.name = "same_as",
     .type = VALUE_STRING,
     .exposed = true,
     .doc = "A name, such as a load balancer's: every value must be one of its own"},
    {.name = "absent",
     .type = VALUE_STRINGS,
     .exposed = true,
     .default_json = "[]",
     .doc = "Values that must not be served any more"},
    {.name = "interval",
     .type = VALUE_DURATION,
     .default_json = "\"5s\"",
     .doc = "Between two questions"},
    {.name = "request_timeout",
     .type = VALUE_DURATION,
     .default_json = "\"5s\"",
     .doc = "For one server's answer"},
    {.name = "deadline",
     .type = VALUE_DURATION,
     .default_json = "\"5m\"",
     .doc = "How long to go on asking; 0s asks once"},
    {0}};

static const struct output outputs[] = {
    {.name = "values", .type = VALUE_STRINGS, .doc = "What is served"},
    {.name = "ttl_s",
     .type = VALUE_INTEGER,
     .doc = "The longest TTL: so long may caches keep an answer"},
    {.name = "servers",
     .type = VALUE_LIST,
     .doc = "What each server said: {server, values, ttl_s, latency_ms, error}"},
    {0}};

struct verification {
    struct attempt *attempt;
    const char *name;
    const char *type;
    struct texts servers;
    struct texts resolvers; /* to fall back to; empty when there is nothing to */
    struct texts allowed;   /* of `same_as` */
};

/* --- whom to ask ---------------------------------------------------------------------------- */

static int find_name_servers(struct verification *work, struct error *err)
{
    const char *zone = attempt_text(work->attempt, "zone");
    const char *above = zone != NULL ? zone : work->name;
    /* Without a zone the nearest name above that has NS records is it. */
    while (work->servers.list.count == 0 && strchr(above, '.') != NULL) {
        if (resolver_ask(work->attempt, above, "NS", &work->servers, err) != 0) {
            return error_context(err, "the name servers of %s", above);
        }
        if (zone != NULL) {
            break;
        }
        above = strchr(above, '.') + 1;
    }
    if (work->servers.list.count == 0) {
        error_set(err, ERROR_NOT_FOUND, "no name servers are known for %s",
                  zone != NULL ? zone : work->name);
        return error_hint(err, "give the step `servers`, or set DRCTL_RESOLVER");
    }
    return 0;
}

/* ":PORT" of the first resolver; "" when it has the usual one. Borrowed. */
static const char *port_of(const struct texts *resolvers)
{
    const char *first = resolvers->list.items[0];
    const char *colon = strrchr(first, ':');
    bool is_v6 = *first != '[' && strchr(first, ':') != colon;
    return colon != NULL && !is_v6 ? colon : "";
}

/* The zone's name servers by address, as the given resolver knows them. None is no error. */
static void find_behind(struct verification *work, const struct texts *resolvers)
{
    struct texts names = {0};
    struct error err = ERROR_INIT;
    if (find_name_servers(work, &err) == 0) {
        names = work->servers;
        work->servers = (struct texts){0};
    }
    vector_each (char **, name, &names.list) {
        struct texts addresses = {0};
        if (resolver_ask(work->attempt, *name, "A", &addresses, &err) == 0 &&
            addresses.list.count != 0) {
            CLEANUP(memory_cleanup)
            char *server = memory_format("%s%s", addresses.list.items[0], port_of(resolvers));
            texts_add(&work->servers, server);
        }
        texts_release(&addresses);
    }
    error_release(&err);
    texts_release(&names);
}

static int find_servers(struct verification *work, struct error *err)
{
    const char *given = attempt_getenv(work->attempt, "DRCTL_RESOLVER");
    size_t i;
    json_t *item;
    json_array_foreach (attempt_argument(work->attempt, "servers"), i, item) {
        texts_add(&work->servers, json_string_value(item));
    }
    if (work->servers.list.count != 0) {
        return 0;
    }
    if (given == NULL) {
        return find_name_servers(work, err);
    }
    texts_add_separated(&work->resolvers, given);
    if (work->resolvers.list.count != 0) {
        find_behind(work, &work->resolvers);
    }
    if (work->servers.list.count == 0) {
        texts_add_separated(&work->servers, given);
        texts_release(&work->resolvers);
    }
    return work->servers.list.count != 0
               ? 0
               : error_set(err, ERROR_INVALID, "DRCTL_RESOLVER names no server");
}

/* When no name server can be reached from here: the resolver instead, once. */
static bool fall_back(struct verification *work)
{
    if (work->resolvers.list.count == 0) {
        return false;
    }
    attempt_say(work->attempt, "no name server of the zone answers; asking %s instead",
                work->resolvers.list.items[0]);
    texts_release(&work->servers);
    work->servers = work->resolvers;
    work->resolvers = (struct texts){0};
    return true;
}

/* --- is it right? --------------------------------------------------------------------------- */

/* Names differ in case and in a dot at the end without meaning anything. */
static bool same_value(const char *a, const char *b)
{
    size_t a_size = strlen(a);
    size_t b_size = strlen(b);
    a_size -= a_size > 1 && a[a_size - 1] == '.' ? 1 : 0;
    b_size -= b_size > 1 && b[b_size - 1] == '.' ? 1 : 0;
    return a_size == b_size && strncasecmp(a, b, a_size) == 0;
}

static bool is_among(const json_t *list, const char *value)
{
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        if (same_value(json_string_value(item), value)) {
            return true;
        }
    }
    return false;
}

static bool is_served(const char *const *values, size_t count, const char *value)
{
    for (size_t i = 0; i < count; i++) {
        if (same_value(values[i], value)) {
            return true;
        }
    }
    return false;
}

static char *join(const char *const *values, size_t count)
{
    struct buffer out = BUFFER_INIT;
    for (size_t i = 0; i < count; i++) {
        buffer_append_format(&out, "%s%s", i != 0 ? ", " : "", values[i]);
    }
    return count != 0 ? buffer_take(&out) : memory_text("nothing");
}

static int check_values(const struct verification *work, const char *const *values, size_t count,
                        struct error *err)
{
    const json_t *expect = attempt_argument(work->attempt, "expect");
    const json_t *absent = attempt_argument(work->attempt, "absent");
    CLEANUP(memory_cleanup) char *served = join(values, count);
    size_t i;
    json_t *item;
    if (count == 0 && json_array_size(expect) == 0) {
        return error_set(err, ERROR_FAILED, "serves no %s record", work->type);
    }
    json_array_foreach (expect, i, item) {
        if (!is_served(values, count, json_string_value(item))) {
            return error_set(err, ERROR_FAILED, "serves %s", served);
        }
    }
    for (size_t j = 0; j < count; j++) {
        bool wanted = expect == NULL || is_among(expect, values[j]);
        bool allowed = work->allowed.list.count == 0 ||
                       is_served((const char *const *)work->allowed.list.items,
                                 work->allowed.list.count, values[j]);
        if (!wanted || !allowed || is_among(absent, values[j])) {
            return error_set(err, ERROR_FAILED, "serves %s", served);
        }
    }
    return 0;
}

struct round {
    size_t right;
    size_t wrong;
    size_t silent;
    int64_t ttl_s;
    json_t *servers;
    json_t *values;   /* of the last server that was right */
    struct error err; /* of the first that was wrong, or silent */
};

static void judge_reply(const struct verification *work, struct dns_reply *reply,
                        struct round *round)
{
    struct error own = ERROR_INIT;
    const char **values;
    size_t count = dns_answer_values(&reply->answer, work->type, &values);
    json_t *list = json_array();
    int64_t ttl_s = 0;
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, json_string(values[i]));
    }
    vector_each (struct dns_record *, record, &reply->answer.records) {
        ttl_s = record->ttl_s > ttl_s ? record->ttl_s : ttl_s;
    }
    if (error_is_set(&reply->err)) {
        error_move(&own, &reply->err);
        round->silent++;
    } else if (reply->answer.rcode != 0) {
        error_set(&own, ERROR_FAILED, "%s answers %s", reply->server,
                  dns_rcode_name(reply->answer.rcode));
        round->wrong++;
    } else if (check_values(work, values, count, &own) != 0) {
        error_context(&own, "%s", reply->server);
        round->wrong++;
    } else {
        round->right++;
        json_decref(round->values);
        round->values = json_incref(list);
    }
    round->ttl_s = ttl_s > round->ttl_s ? ttl_s : round->ttl_s;
    json_array_append_new(round->servers,
                          json_pack("{ss so sI sI ss*}", "server", reply->server, "values", list,
                                    "ttl_s", (json_int_t)ttl_s, "latency_ms",
                                    (json_int_t)reply->latency_ms, "error", own.message));
    free(values);
    if (error_is_set(&own) && (!error_is_set(&round->err) || own.code == ERROR_FAILED)) {
        error_move(&round->err, &own);
    }
    error_release(&own);
}

static void round_release(struct round *round)
{
    json_decref(round->servers);
    json_decref(round->values);
    error_release(&round->err);
}

/* 0: right. One server of several may be silent, as long as most of them answer; none may be wrong.
 */
static int ask_round(struct verification *work, struct round *round, struct error *err)
{
    struct dns_replies replies;
    struct dns_question question = {
        .name = work->name,
        .type = work->type,
        .servers = texts_close(&work->servers),
        .timeout_ms = attempt_duration_ms(work->attempt, "request_timeout", 5000),
    };
    *round = (struct round){.servers = json_array()};
    if (net_ask_dns(work->attempt, &question, &replies, err) != 0) {
        return -1;
    }
    vector_each (struct dns_reply *, reply, &replies.list) {
        judge_reply(work, reply, round);
    }
    dns_replies_release(&replies);
    if (round->wrong == 0 && round->right > round->silent) {
        return 0;
    }
    error_move(err, &round->err);
    return -1;
}

static void put_outputs(struct verification *work, const struct round *round)
{
    struct attempt *attempt = work->attempt;
    json_t *values = round->values != NULL ? json_incref(round->values) : json_array();
    attempt_set_output(attempt, "values", values);
    attempt_set_output(attempt, "ttl_s", json_integer(round->ttl_s));
    attempt_set_output(attempt, "servers", json_incref(round->servers));
    attempt_fact(attempt, "dns.verified",
                 json_pack("{ss ss sO sI sO}", "name", work->name, "type", work->type, "values",
                           values, "ttl_s", (json_int_t)round->ttl_s, "servers", round->servers));
}

/* --- until it is ---------------------------------------------------------------------------- */

static void say_right(const struct verification *work, const struct round *round)
{
    CLEANUP(memory_cleanup) char *values = json_canonical(round->values);
    attempt_say(work->attempt,
                "%s %s is %s at %zu of %zu servers; caches may keep the old answer "
                "for its TTL (this one: %llds)",
                work->name, work->type, values, round->right, work->servers.list.count,
                (long long)round->ttl_s);
}

static int ask_until_right(struct verification *work, struct error *err)
{
    struct attempt *attempt = work->attempt;
    int64_t interval_ms = attempt_duration_ms(attempt, "interval", 5000);
    int64_t deadline_ns =
        clock_monotonic_ns() + attempt_duration_ms(attempt, "deadline", 300000) * CLOCK_NS_PER_MS;
    CLEANUP(memory_cleanup) char *last_words = NULL;
    for (;;) {
        struct round round;
        struct error own = ERROR_INIT;
        int status = ask_round(work, &round, &own);
        bool is_over = clock_monotonic_ns() + interval_ms * CLOCK_NS_PER_MS > deadline_ns ||
                       attempt_is_dry_run(attempt) || attempt_check(attempt, NULL) != 0;
        bool none_answers = status != 0 && round.right == 0 && round.wrong == 0;
        if (none_answers && fall_back(work)) {
            round_release(&round);
            error_release(&own);
            continue;
        }
        if (status == 0) {
            say_right(work, &round);
            put_outputs(work, &round);
        } else if (is_over) {
            put_outputs(work, &round);
            error_move(err, &own);
        } else if (last_words == NULL || strcmp(last_words, own.message) != 0) {
            attempt_say(attempt, "not yet: %s", own.message);
            free(last_words);
            last_words = memory_text(own.message);
        }
        round_release(&round);
        error_release(&own);
        if (status == 0 || is_over) {
            return status;
        }
        if (attempt_sleep(attempt, interval_ms, err) != 0) {
            return -1;
        }
    }
}

static int verify(struct verification *work, struct error *err)
{
    const char *same_as = attempt_text(work->attempt, "same_as");
    if (find_servers(work, err) != 0) {
        return -1;
    }
    if (same_as != NULL &&
        resolver_ask(work->attempt, same_as, work->type, &work->allowed, err) != 0) {
        return error_context(err, "the values of %s", same_as);
    }
    if (same_as != NULL && work->allowed.list.count == 0) {
        return error_set(err, ERROR_NOT_FOUND, "%s has no %s record", same_as, work->type);
    }
    return ask_until_right(work, err);
}

static int run(struct attempt *attempt, struct error *err)
{
    struct verification work = {.attempt = attempt,
                                .name = attempt_text(attempt, "name"),
                                .type = attempt_text(attempt, "type")};
    struct error own = ERROR_INIT;
    int status = verify(&work, &own);
    if (status != 0 && attempt_is_dry_run(attempt)) {
        /* The change that this is to prove has not been made. */
        attempt_say(attempt, "now: %s", own.message);
        status = 0;
    }
    if (status != 0) {
        error_move(err, &own);
    }
    error_release(&own);
    texts_release(&work.servers);
    texts_release(&work.resolvers);
    texts_release(&work.allowed);
    return status;
}

const struct action action_dns_verify = {
    .description =
        {
            .name = "dns.verify",
            .summary = "Ask a zone's own name servers until they give the new answer",
            .doc = "No server may give a wrong answer, and most of them have to answer.",
            .parameters = parameters,
            .outputs = outputs,
        },
    .run = run,
    .interrupted = "It changes nothing and is asked again.",
    .shows_dry_run = true,
};
