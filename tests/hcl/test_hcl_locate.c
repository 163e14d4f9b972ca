/* Addresses: what they find, and what is said when they find nothing or too much. */
#include "hcl_test.h"

static const char *const configuration = "terraform {\n"
                                         "  required_version = \">= 1.11\"\n"
                                         "  backend \"s3\" {\n"
                                         "    region = \"R1\"\n"
                                         "  }\n"
                                         "}\n"
                                         "provider \"aws\" {\n"
                                         "  region = \"R2\"\n"
                                         "}\n"
                                         "provider \"aws\" {\n"
                                         "  alias  = \"west\"\n"
                                         "  region = \"R3\"\n"
                                         "}\n"
                                         "provider \"random\" {\n"
                                         "}\n"
                                         "locals {\n"
                                         "  one = \"R4\"\n"
                                         "}\n"
                                         "locals {\n"
                                         "  region = \"R5\"\n"
                                         "}\n"
                                         "variable \"region\" {\n"
                                         "  default = \"R6\"\n"
                                         "}\n"
                                         "resource \"aws_instance\" \"web\" {\n"
                                         "  ami = \"R7\"\n"
                                         "  tags = { \"a.b\" = [\"x\", \"R8\"] }\n"
                                         "  ebs_block_device {\n"
                                         "    size = \"R9\"\n"
                                         "  }\n"
                                         "}\n"
                                         "module \"eks\" {\n"
                                         "  version = \"R10\"\n"
                                         "  count = local.n\n"
                                         "}\n";

static const char *const configuration_json =
    "{\"terraform\": {\"backend\": {\"s3\": {\"region\": \"R1\"}}},\n"
    " \"provider\": {\"aws\": [{\"region\": \"R2\"}, {\"alias\": \"west\", \"region\": \"R3\"}]},\n"
    " \"variable\": [{\"region\": {\"default\": \"R6\"}}],\n"
    " \"resource\": {\"aws_instance\": {\"web\": {\"tags\": {\"a.b\": [\"x\", \"R8\"]}}}}}\n";

static void finds(const char *name, const char *text, const char *address, const char *wanted)
{
    struct hcl_document document = hcl_test_open(name, text);
    struct hcl_location location = {0};
    struct error err = ERROR_INIT;
    if (hcl_locate_values(&document, address, &location, &err) != 0) {
        fail_msg("%s: %s", address, err.message);
    }
    json_t *found = json_array();
    for (size_t i = 0; i < location.places.count; i++) {
        json_array_append_new(found, hcl_value_read(&document, location.places.items[i], NULL));
    }
    char *json = json_canonical(found);
    assert_string_equal(json, wanted);
    free(json);
    json_decref(found);
    hcl_location_release(&location);
    hcl_document_release(&document);
}

static void fails(const char *name, const char *text, const char *address, const char *message,
                  const char *hint)
{
    struct hcl_document document = hcl_test_open(name, text);
    struct hcl_location location = {0};
    struct error err = ERROR_INIT;
    assert_int_equal(hcl_locate_values(&document, address, &location, &err), -1);
    if (strstr(err.message, message) == NULL) {
        fail_msg("%s says: %s", address, err.message);
    }
    if (hint != NULL && (err.hint == NULL || strstr(err.hint, hint) == NULL)) {
        fail_msg("%s hints: %s", address, err.hint);
    }
    error_release(&err);
    hcl_document_release(&document);
}

static void values_are_found_by_name_index_and_key(void **state)
{
    (void)state;
    const char *text =
        "region = \"a\"\nazs = [\"b\", \"c\"]\ntags = {Name = \"d\", \"a.b\" = \"e\"}\n";
    finds("x.tfvars", text, "region", "[\"a\"]");
    finds("x.tfvars", text, "azs[1]", "[\"c\"]");
    finds("x.tfvars", text, "azs[*]", "[\"b\",\"c\"]");
    finds("x.tfvars", text, "tags.Name", "[\"d\"]");
    finds("x.tfvars", text, "tags[\"a.b\"]", "[\"e\"]");
    finds("x.tfvars.json", "{\"azs\": [\"b\", {\"c\": \"d\"}]}", "azs[1].c", "[\"d\"]");
}

static void blocks_are_found_by_type_and_labels(void **state)
{
    (void)state;
    finds("x.tf", configuration, "terraform.backend[\"s3\"].region", "[\"R1\"]");
    finds("x.tf", configuration, "terraform.backend.s3.region", "[\"R1\"]");
    finds("x.tf", configuration, "locals.region", "[\"R5\"]");
    finds("x.tf", configuration, "variable.region.default", "[\"R6\"]");
    finds("x.tf", configuration, "resource.aws_instance.web.ami", "[\"R7\"]");
    finds("x.tf", configuration, "resource[\"aws_instance\"][\"web\"].tags[\"a.b\"][1]",
          "[\"R8\"]");
    finds("x.tf", configuration, "resource.aws_instance.web.ebs_block_device.size", "[\"R9\"]");
    finds("x.tf", configuration, "module.eks.version", "[\"R10\"]");
}

static void one_of_several_blocks_is_chosen(void **state)
{
    (void)state;
    finds("x.tf", configuration, "provider[\"aws\"][0].region", "[\"R2\"]");
    finds("x.tf", configuration, "provider[\"aws\"][1].region", "[\"R3\"]");
    finds("x.tf", configuration, "provider.aws[alias=\"west\"].region", "[\"R3\"]");
    finds("x.tf", configuration, "provider[\"aws\"][*].region", "[\"R2\",\"R3\"]");
}

static void json_blocks_are_found_by_the_same_addresses(void **state)
{
    (void)state;
    finds("x.tf.json", configuration_json, "terraform.backend[\"s3\"].region", "[\"R1\"]");
    finds("x.tf.json", configuration_json, "provider[\"aws\"][alias=\"west\"].region", "[\"R3\"]");
    finds("x.tf.json", configuration_json, "provider.aws[0].region", "[\"R2\"]");
    finds("x.tf.json", configuration_json, "variable.region.default", "[\"R6\"]");
    finds("x.tf.json", configuration_json, "resource.aws_instance.web.tags[\"a.b\"][1]",
          "[\"R8\"]");
    fails("x.tf.json", configuration_json, "provider.aws.region", "there 2 times", "[*]");
}

static void several_matches_name_each_line(void **state)
{
    (void)state;
    fails("x.tf", configuration, "provider[\"aws\"].region", "2 times, on lines 8, 12",
          "[name=\"value\"]");
}

static void a_misspelled_name_gets_its_likely_intent(void **state)
{
    (void)state;
    fails("x.tfvars", "region = 1\n", "regoin", "there is no regoin", "did you mean region?");
    fails("x.tf", configuration, "terraform.backend[\"s3\"].regon", "no 'regon'",
          "did you mean region?");
    fails("x.tf", configuration, "terraform.backend[\"s4\"].region", "no 's4'", "did you mean s3?");
    fails("x.tf", configuration, "terrafrom.backend", "no 'terrafrom'", "did you mean terraform?");
    fails("x.tf", configuration, "terraform.zzzzzzzzzz", "no 'zzzzzzzzzz'",
          "there is: required_version, backend");
}

static void what_has_no_parts_is_said(void **state)
{
    (void)state;
    fails("x.tf", configuration, "module.eks.count.x", "has no parts", NULL);
    fails("x.tfvars", "azs = [1]\n", "azs[1]", "nothing fits step 2", NULL);
    fails("x.tfvars", "azs = [1]\n", "azs.x", "no 'x'", NULL);
    fails("x.tf", configuration, "terraform.backend[\"s3\"]", "is a block", NULL);
}

static void addresses_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",    ".a",   "a.",      "a..b",   "a[",
                                      "a[]", "a[x]", "a[\"b\"", "a[\"b]", "a[-1]",
                                      "[0]", "a b",  "a[0]b",   "a[b=c]", "a[99999999999]"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        fails("x.tfvars", "a = 1\n", bad[i], "is not an address", "addresses look like");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_found_by_name_index_and_key),
        cmocka_unit_test(blocks_are_found_by_type_and_labels),
        cmocka_unit_test(one_of_several_blocks_is_chosen),
        cmocka_unit_test(json_blocks_are_found_by_the_same_addresses),
        cmocka_unit_test(several_matches_name_each_line),
        cmocka_unit_test(a_misspelled_name_gets_its_likely_intent),
        cmocka_unit_test(what_has_no_parts_is_said),
        cmocka_unit_test(addresses_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
