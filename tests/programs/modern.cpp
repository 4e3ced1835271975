// What a C++ program of today asks of the system through its library: threads, exceptions that
// cross them, condition variables, futures, thread-local objects, atomics. Ends with sums that any
// order of the threads gives.
#include <algorithm>
#include <atomic>
#include <barrier>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <regex>
#include <shared_mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

std::atomic<int> destroyed{0};

struct Counted {
    int value = 0;
    ~Counted() { ++destroyed; }
};
thread_local Counted local;

class Queue {
public:
    void push(int value) {
        {
            std::lock_guard const lock(mutex_);
            values_.push_back(value);
        }
        filled_.notify_one();
    }
    int pop() {
        std::unique_lock lock(mutex_);
        filled_.wait(lock, [this] { return !values_.empty(); });
        int const value = values_.front();
        values_.pop_front();
        return value;
    }

private:
    std::mutex mutex_;
    std::condition_variable filled_;
    std::deque<int> values_;
};

int depth(int levels) {
    if (levels == 0) throw std::runtime_error("from the depth");
    std::string const frame(static_cast<std::size_t>(levels), 'x'); // to be unwound
    return depth(levels - 1) + static_cast<int>(frame.size());
}

void exceptions() {
    int caught = 0;
    for (int i = 0; i < 200; ++i)
        try {
            depth(i % 50);
        } catch (std::runtime_error const&) {
            ++caught;
        }
    std::printf("exceptions %d\n", caught);
    auto failing = std::async(std::launch::async, [] { return depth(20); });
    try {
        failing.get();
    } catch (std::exception const& error) {
        std::printf("across threads: %s\n", error.what());
    }
    try {
        std::vector<int>(10).at(10) = 1;
    } catch (std::out_of_range const&) {
        std::puts("out of range");
    }
}

void queues() {
    Queue queue;
    std::atomic<long> sum{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int value; (value = queue.pop()) != 0;)
                sum += value;
        });
    for (int i = 1; i <= 2000; ++i)
        queue.push(i);
    for (int t = 0; t < 4; ++t)
        queue.push(0);
    for (auto& thread : threads)
        thread.join();
    std::printf("queue %ld\n", sum.load());
}

void locals() {
    std::vector<std::thread> threads;
    std::atomic<int> sum{0};
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&, t] {
            local.value = t;
            std::this_thread::yield();
            sum += local.value;
        });
    for (auto& thread : threads)
        thread.join();
    std::printf("thread_local %d, destroyed %d\n", sum.load(), destroyed.load());
}

void futures() {
    std::vector<std::future<int>> parts;
    for (int i = 0; i < 12; ++i)
        parts.push_back(std::async(std::launch::async, [i] {
            std::vector<int> numbers(5000);
            std::iota(numbers.begin(), numbers.end(), i);
            return std::accumulate(numbers.begin(), numbers.end(), 0);
        }));
    long sum = 0;
    for (auto& part : parts)
        sum += part.get();
    std::promise<std::string> promise;
    std::thread teller([&] { promise.set_value("kept"); });
    std::printf("futures %ld, promise %s\n", sum, promise.get_future().get().c_str());
    teller.join();
}

void barriers() {
    std::barrier barrier(4);
    std::shared_mutex shared;
    std::once_flag once;
    int value = 0, calls = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int round = 0; round < 50; ++round) {
                std::call_once(once, [&] { ++calls; });
                {
                    std::unique_lock const lock(shared);
                    ++value;
                }
                barrier.arrive_and_wait();
                std::shared_lock const lock(shared);
                if (value != (round + 1) * 4) std::puts("a barrier was passed early");
                barrier.arrive_and_wait();
            }
        });
    for (auto& thread : threads)
        thread.join();
    std::printf("barrier %d, once %d\n", value, calls);
}

void timed() {
    std::timed_mutex mutex;
    std::unique_lock const lock(mutex);
    bool got = true;
    std::thread([&] { got = mutex.try_lock_for(std::chrono::milliseconds(20)); }).join();
    std::condition_variable never;
    std::mutex other;
    std::unique_lock waiting(other);
    bool const woken = never.wait_for(waiting, std::chrono::milliseconds(20), [] { return false; });
    std::printf("timed lock %d, wait %d\n", got, woken);
}

void library() {
    std::map<std::string, int> words;
    std::istringstream text("the cat and the dog and the bird");
    for (std::string word; text >> word;)
        ++words[word];
    for (auto const& [word, count] : words)
        std::printf("%s=%d ", word.c_str(), count);
    std::smatch match;
    std::string const line = "key = value";
    std::regex_match(line, match, std::regex(R"((\w+)\s*=\s*(\w+))"));
    std::printf("\n%s %s %.10f\n", match[1].str().c_str(), match[2].str().c_str(), 2.0L / 3);
}

} // namespace

int main() {
    exceptions();
    queues();
    locals();
    futures();
    barriers();
    timed();
    library();
}
