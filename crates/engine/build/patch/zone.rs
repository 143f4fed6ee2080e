//! Local times follow the zone of the session (`guest/zone.c`), where QuickJS asks the C library.

/// What stands once in the source, and what is put in its stead.
pub(super) const CHANGES: &[(&str, &str)] = &[
    (
        "static int getTimezoneOffset(int64_t time) {\n",
        "int carrel_zone_offset(int64_t time);
int carrel_zone_offset_of_local(int64_t local);

static int getTimezoneOffset(int64_t time) {
    if (1)
        return carrel_zone_offset(time);
",
    ),
    (
        "        tv += getTimezoneOffset(ti) * 60000;\n",
        "        tv += carrel_zone_offset_of_local(ti) * 60000;\n",
    ),
];
