# JSON is text; functions and operators look into it, and change it.

> CREATE TABLE orders (id INTEGER PRIMARY KEY, data JSON)
> INSERT INTO orders (data) VALUES ('{"customer": {"name": "Ada"}, "items": [{"sku": "a1", "n": 2}, {"sku": "b7", "n": 1}]}'),
    ('{"customer": {"name": "Grace"}, "items": []}')
---
changed 2

# -> gives JSON, ->> a value; a path may be a label or a place in an array.
> SELECT data -> 'customer', data ->> '$.customer.name', data -> 'items' -> 0 ->> 'sku' FROM orders ORDER BY id
---
'{"name":"Ada"}', 'Ada', 'a1'
'{"name":"Grace"}', 'Grace', NULL

# json_each makes a row of each element.
> SELECT orders.id, item.key, item.value ->> 'sku' AS sku FROM orders, json_each(orders.data, '$.items') AS item
---
1, 0, 'a1'
1, 1, 'b7'

# json_tree goes down to the last of them.
> SELECT fullkey, type, atom FROM json_tree('{"a": [1, {"b": null}]}')
---
'$', 'object', NULL
'$.a', 'array', NULL
'$.a[0]', 'integer', 1
'$.a[1]', 'object', NULL
'$.a[1].b', 'null', NULL

# What a JSON function makes is JSON to another, text is text.
> SELECT json_object('json', json('[1]'), 'text', '[1]', 'list', json_group_array(json_array(id, data ->> 'items'))) FROM orders
---
'{"json":[1],"text":"[1]","list":[[1,"[{\\"sku\\":\\"a1\\",\\"n\\":2},{\\"sku\\":\\"b7\\",\\"n\\":1}]"],[2,"[]"]]}'

> SELECT json_set('{"a": 1}', '$.b.c', json_array(1, 2)), json_remove('[1, 2, 3]', '$[#-1]'), json_patch('{"a": 1, "b": 2}', '{"b": null, "c": 3}')
---
'{"a":1,"b":{"c":[1,2]}}', '[1,2]', '{"a":1,"c":3}'

# JSON5 is read, RFC 8259 is written.
> SELECT json('{unquoted: .5, ''single'': [0x10, +Infinity,], /* a comment */ last: true}')
---
'{"unquoted":0.5,"single":[16,9e999],"last":true}'

> SELECT json_valid('[1,]'), json_valid('[1,]', 2), json_error_position('[1,}'), json_type('{"a": 1.0}', '$.a')
---
0, 1, 4, 'real'

!> SELECT json_extract('[1', '$')
---
OperationalError: malformed JSON

!> SELECT json_extract('[1]', '$[x]')
---
OperationalError: bad JSON path: '$[x]'

# The arguments of json_each() are columns that * leaves out.
> SELECT value, json, root FROM json_each('{"a": [5, 6]}', '$.a')
---
5, '{"a": [5, 6]}', '$.a'
6, '{"a": [5, 6]}', '$.a'

> SELECT * FROM json_each('[7]') WHERE json = '[7]'
---
0, 7, 'integer', 7, 1, NULL, '$[0]', '$'

# Naming one that is not given would give it in SQLite; here it must be given.
!> SELECT value FROM json_each WHERE json = '[7]'
---
UnknownNameError: no such column: json
