/* The one reading of a rewrite's parameters, for the action and for the tests. */
#include "hcl/rewrite_request.h"

#include "base/nearest.h"

static const enum hcl_place places[] = {HCL_PLACE_VALUE, HCL_PLACE_HEREDOC, HCL_PLACE_KEY,
                                        HCL_PLACE_COMMENT, HCL_PLACE_TEXT};

static int wrong_type(struct error *err, const char *member, const char *wanted)
{
    return error_set(err, ERROR_INVALID, "'%s' must be %s", member, wanted);
}

static int read_edits(struct hcl_rewrite_request *request, const json_t *object, const char *member,
                      enum hcl_edit_mode mode, struct error *err)
{
    json_t *files = json_object_get(object, member);
    const char *file;
    json_t *values;
    if (files != NULL && !json_is_object(files) && !json_is_null(files)) {
        return wrong_type(err, member, "a map of files to addresses");
    }
    json_object_foreach (files, file, values) {
        const char *address;
        json_t *value;
        if (!json_is_object(values)) {
            return wrong_type(err, member, "a map of files to maps of addresses to values");
        }
        json_object_foreach (values, address, value) {
            struct hcl_rewrite_edit edit = {file, {address, mode, value, false}};
            vector_push(&request->edits, edit);
        }
    }
    return 0;
}

static int read_removals(struct hcl_rewrite_request *request, const json_t *object,
                         struct error *err)
{
    json_t *files = json_object_get(object, "remove");
    const char *file;
    json_t *addresses;
    if (files != NULL && !json_is_object(files) && !json_is_null(files)) {
        return wrong_type(err, "remove", "a map of files to lists of addresses");
    }
    json_object_foreach (files, file, addresses) {
        for (size_t i = 0; i < json_array_size(addresses); i++) {
            const char *address = json_string_value(json_array_get(addresses, i));
            if (address == NULL) {
                return wrong_type(err, "remove", "a map of files to lists of addresses");
            }
            struct hcl_rewrite_edit edit = {file, {address, HCL_EDIT_REMOVE, NULL, false}};
            vector_push(&request->edits, edit);
        }
    }
    return 0;
}

static int read_words(struct hcl_rewrite_request *request, const json_t *object, struct error *err)
{
    json_t *map = json_object_get(object, "map");
    json_t *forbid = json_object_get(object, "forbid");
    const char *from;
    json_t *to;
    json_object_foreach (map, from, to) {
        if (!json_is_string(to) || from[0] == '\0' || json_string_length(to) == 0) {
            return wrong_type(err, "map", "a map of words to words");
        }
        if (strcmp(from, json_string_value(to)) != 0) {
            hcl_words_add(&request->map, from, json_string_value(to));
        }
    }
    for (size_t i = 0; i < json_array_size(forbid); i++) {
        const char *word = json_string_value(json_array_get(forbid, i));
        if (word == NULL || word[0] == '\0') {
            return wrong_type(err, "forbid", "a list of words");
        }
        hcl_words_add(&request->forbid, word, NULL);
    }
    return 0;
}

static int read_places(const json_t *object, const char *member, unsigned *ret_places,
                       struct error *err)
{
    json_t *names = json_object_get(object, member);
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        unsigned found = 0;
        struct nearest nearest;
        nearest_init(&nearest, name != NULL ? name : "");
        for (size_t j = 0; j < ARRAY_SIZE(places); j++) {
            nearest_offer(&nearest, hcl_place_name(places[j]));
            if (name != NULL && strcmp(name, hcl_place_name(places[j])) == 0) {
                found = places[j];
            }
        }
        if (found == 0) {
            error_set(err, ERROR_INVALID,
                      "'%s' lists '%s', but places are value, heredoc, key, comment and text",
                      member, name != NULL ? name : "something that is no text");
            return nearest.best != NULL ? error_hint(err, "did you mean %s?", nearest.best) : -1;
        }
        *ret_places |= found;
    }
    return 0;
}

int hcl_rewrite_request_read(struct hcl_rewrite_request *request, const char *root,
                             const json_t *object, struct error *err)
{
    json_t *map_files = json_object_get(object, "map_files");
    json_t *forbid_files = json_object_get(object, "forbid_files");
    request->root = root;
    if (read_edits(request, object, "set", HCL_EDIT_SET, err) != 0 ||
        read_edits(request, object, "add", HCL_EDIT_ADD, err) != 0 ||
        read_edits(request, object, "put", HCL_EDIT_PUT, err) != 0 ||
        read_removals(request, object, err) != 0 || read_words(request, object, err) != 0 ||
        read_places(object, "map_in", &request->map_places, err) != 0 ||
        read_places(object, "forbid_in", &request->forbid_places, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < json_array_size(map_files); i++) {
        vector_push(&request->map_files, json_string_value(json_array_get(map_files, i)));
    }
    for (size_t i = 0; i < json_array_size(forbid_files); i++) {
        vector_push(&request->forbid_files, json_string_value(json_array_get(forbid_files, i)));
    }
    for (size_t i = 0; i < request->map_files.count; i++) {
        if (request->map_files.items[i] == NULL) {
            return wrong_type(err, "map_files", "a list of patterns");
        }
    }
    for (size_t i = 0; i < request->forbid_files.count; i++) {
        if (request->forbid_files.items[i] == NULL) {
            return wrong_type(err, "forbid_files", "a list of patterns");
        }
    }
    return 0;
}
