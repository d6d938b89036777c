// The addon's surface: the Fiber class, statistics, and the context frame.
#include <node.h>
#include <v8.h>

#include <algorithm>

#include "fiber.h"

namespace tendril {
namespace {

using v8::Context;
using v8::External;
using v8::Function;
using v8::FunctionTemplate;
using v8::HandleScope;
using v8::Isolate;
using v8::Local;
using v8::Object;
using v8::String;
using v8::Value;

using Info = v8::FunctionCallbackInfo<Value>;

Engine* EngineOf(const Info& info) {
#if V8_MAJOR_VERSION >= 14
  return static_cast<Engine*>(info.Data().As<External>()->Value(v8::kExternalPointerTypeTagDefault));
#else
  return static_cast<Engine*>(info.Data().As<External>()->Value());
#endif
}

Local<String> Symbol(Isolate* isolate, const char* text) {
  return String::NewFromUtf8(isolate, text, v8::NewStringType::kInternalized).ToLocalChecked();
}

void Construct(const Info& info) {
  Engine* engine = EngineOf(info);
  Isolate* isolate = info.GetIsolate();
  if (!info.IsConstructCall() || !info[0]->IsFunction())
    return engine->ThrowCoded("ERR_INVALID_ARG_TYPE");
  size_t stack_size = 0;  // the default
  Local<Object> self = info.This();
  if (info[1]->IsObject()) {
    Local<Context> context = isolate->GetCurrentContext();
    Local<Object> options = info[1].As<Object>();
    Local<Value> size, name;
    if (!options->Get(context, Symbol(isolate, "stackSize")).ToLocal(&size) ||
        !options->Get(context, Symbol(isolate, "name")).ToLocal(&name))
      return;
    if (!size->IsUndefined()) {
      double bytes = size->IsNumber() ? size.As<v8::Number>()->Value() : -1;
      if (!(bytes >= StackPool::kMinimum && bytes <= StackPool::kMaximum))
        return engine->ThrowCoded("ERR_FIBER_STACK_SIZE");
      stack_size = static_cast<size_t>(bytes);
    }
    if (!name->IsUndefined()) {
      if (!name->IsString()) return engine->ThrowCoded("ERR_INVALID_ARG_TYPE");
      self->SetInternalField(Fiber::kName, name);
    }
  } else if (!info[1]->IsUndefined()) {
    return engine->ThrowCoded("ERR_INVALID_ARG_TYPE");
  }
  self->SetInternalField(Fiber::kFunction, info[0]);
  self->SetInternalField(Fiber::kContextFrame, engine->v8().GetContextFrame());
  if (!engine->NewFiber(self, stack_size)) engine->ThrowCoded("ERR_FIBER_NO_MEMORY");
}

// The template's signature has checked the receiver, but a subclass may call a
// method before its super() has run.
Fiber* Receiver(const Info& info) {
  Fiber* fiber = Fiber::From(info.This());
  if (!fiber) EngineOf(info)->ThrowCoded("ERR_INVALID_THIS");
  return fiber;
}

void Resume(const Info& info) {
  if (Fiber* fiber = Receiver(info)) EngineOf(info)->Resume(fiber, info);
}
void Throw(const Info& info) {
  if (Fiber* fiber = Receiver(info)) EngineOf(info)->Throw(fiber, info);
}
void Transfer(const Info& info) {
  if (Fiber* fiber = Receiver(info)) EngineOf(info)->Transfer(fiber, info);
}
void Suspend(const Info& info) { EngineOf(info)->Suspend(info); }

void GetState(const Info& info) {
  static constexpr const char* kNames[] = {"created", "running", "suspended", "done"};
  if (Fiber* fiber = Receiver(info))
    info.GetReturnValue().Set(
        Symbol(info.GetIsolate(), kNames[static_cast<int>(fiber->state())]));
}

void GetName(const Info& info) {
  info.GetReturnValue().Set(info.This()->GetInternalField(Fiber::kName).As<Value>());
}

void GetCurrent(const Info& info) {
  Fiber* fiber = EngineOf(info)->current();
  if (!fiber) return;
  Local<Object> wrapper = fiber->wrapper(info.GetIsolate());
  if (!wrapper.IsEmpty()) info.GetReturnValue().Set(wrapper);
}

void GetStatistics(const Info& info) {
  Engine* engine = EngineOf(info);
  Isolate* isolate = info.GetIsolate();
  Local<Context> context = isolate->GetCurrentContext();
  Local<Object> result = Object::New(isolate);
  auto set = [&](const char* name, size_t value) {
    result
        ->Set(context, Symbol(isolate, name),
              v8::Number::New(isolate, static_cast<double>(value)))
        .Check();
  };
  set("live", engine->live());
  set("pooled", engine->pool().idle());
  set("created", engine->pool().created());
  set("stackBytes", engine->pool().stack_bytes());
  info.GetReturnValue().Set(result);
}

void GetContextFrame([[maybe_unused]] const Info& info) {
#if V8_MAJOR_VERSION >= 12
  ContextFrame frame = EngineOf(info)->v8().GetContextFrame();
  if (frame->IsValue()) info.GetReturnValue().Set(frame.As<Value>());
#endif
}

void SetContextFrame([[maybe_unused]] const Info& info) {
#if V8_MAJOR_VERSION >= 12
  EngineOf(info)->v8().SetContextFrame(info[0]);
#endif
}

void BeginAsyncDepth(const Info& info) {
  Isolate* isolate = info.GetIsolate();
  info.GetReturnValue().Set(
      EngineOf(info)->async_depth().Begin(isolate->GetCurrentContext()));
}

void KeepAsyncDepth(const Info& info) {
  EngineOf(info)->async_depth().Keep(static_cast<uint32_t>(info[0].As<v8::Number>()->Value()));
}

void EndAsyncDepth(const Info& info) { EngineOf(info)->async_depth().End(); }

void UpdateAddons(const Info& info) {
  info.GetReturnValue().Set(static_cast<uint32_t>(EngineOf(info)->UpdateAddons()));
}

void SharesAddon(const Info& info) { info.GetReturnValue().Set(EngineOf(info)->SharesAddon()); }

void GetPins(const Info& info) { info.GetReturnValue().Set(EngineOf(info)->pins()); }

void SetPins(const Info& info) {
  EngineOf(info)->set_pins(static_cast<int>(info[0].As<v8::Number>()->Value()));
}

void SetDefaultStackSize(const Info& info) {
  EngineOf(info)->pool().set_default_size(static_cast<size_t>(info[0].As<v8::Number>()->Value()));
}

void SetErrorFactory(const Info& info) {
  EngineOf(info)->set_error_factory(info[0].As<Function>());
}

Local<Function> MakeClass(Local<Context> context, Local<External> data) {
  Isolate* isolate = Isolate::GetCurrent();
  Local<FunctionTemplate> klass = FunctionTemplate::New(isolate, Construct, data);
  klass->SetClassName(Symbol(isolate, "Fiber"));
  klass->SetLength(1);
  klass->InstanceTemplate()->SetInternalFieldCount(Fiber::kFieldCount);
  Local<v8::Signature> signature = v8::Signature::New(isolate, klass);
  auto method = [&](const char* name, v8::FunctionCallback callback) {
    Local<FunctionTemplate> function = FunctionTemplate::New(
        isolate, callback, data, signature, 1, v8::ConstructorBehavior::kThrow);
    klass->PrototypeTemplate()->Set(Symbol(isolate, name), function, v8::DontEnum);
  };
  auto getter = [&](const char* name, v8::FunctionCallback callback) {
    klass->PrototypeTemplate()->SetAccessorProperty(
        Symbol(isolate, name), FunctionTemplate::New(isolate, callback, data, signature));
  };
  method("resume", Resume);
  method("throw", Throw);
  method("transfer", Transfer);
  getter("state", GetState);
  getter("name", GetName);
  klass->Set(Symbol(isolate, "suspend"),
             FunctionTemplate::New(isolate, Suspend, data, Local<v8::Signature>(), 1,
                                   v8::ConstructorBehavior::kThrow),
             v8::DontEnum);
  klass->SetAccessorProperty(Symbol(isolate, "current"),
                             FunctionTemplate::New(isolate, GetCurrent, data));
  return klass->GetFunction(context).ToLocalChecked();
}

void Initialize(Local<Object> exports, Local<Context> context) {
  Isolate* isolate = Isolate::GetCurrent();
  HandleScope scope(isolate);
  auto set = [&](const char* name, Local<Value> value) {
    exports->Set(context, Symbol(isolate, name), value).Check();
  };
  std::string reason;
  Engine* engine = Engine::Create(context, &reason);
  if (!engine) {
    set("reason", String::NewFromUtf8(isolate, reason.c_str()).ToLocalChecked());
    return;
  }
#if V8_MAJOR_VERSION >= 14
  Local<External> data = External::New(isolate, engine, v8::kExternalPointerTypeTagDefault);
#else
  Local<External> data = External::New(isolate, engine);
#endif
  auto function = [&](const char* name, v8::FunctionCallback callback) {
    set(name, Function::New(context, callback, data).ToLocalChecked());
  };
  set("Fiber", MakeClass(context, data));
  function("statistics", GetStatistics);
  function("getContextFrame", GetContextFrame);
  function("setContextFrame", SetContextFrame);
  function("setErrorFactory", SetErrorFactory);
  function("setDefaultStackSize", SetDefaultStackSize);
  function("beginAsyncDepth", BeginAsyncDepth);
  function("keepAsyncDepth", KeepAsyncDepth);
  function("endAsyncDepth", EndAsyncDepth);
  function("updateAddons", UpdateAddons);
  function("sharesAddon", SharesAddon);
  function("getPins", GetPins);
  function("setPins", SetPins);
}

}  // namespace
}  // namespace tendril

NODE_MODULE_INIT(/* exports, module, context */) { tendril::Initialize(exports, context); }
