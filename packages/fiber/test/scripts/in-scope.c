// An addon of N-API: inScope(fn) calls fn with a handle scope open, which N-API counts for the addon as a whole.
#include <node_api.h>

static napi_value InScope(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value fn, self, result = NULL;
  napi_handle_scope scope;
  napi_get_cb_info(env, info, &count, &fn, &self, NULL);
  napi_open_handle_scope(env, &scope);
  napi_call_function(env, self, fn, 0, NULL, &result);
  napi_close_handle_scope(env, scope);
  return NULL;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "inScope", NAPI_AUTO_LENGTH, InScope, NULL, &function);
  return function;
}
